import { formatDomain } from "../domain/document.ts";
import type { Domain } from "../domain/domain.ts";
import { namesFirmware } from "../domain/names-firmware.ts";
import { completedFile } from "../plan/paths.ts";
import { type Definition, readDefinition } from "../state/definitions.ts";
import type { Instance } from "../state/instance.ts";
import { readKeptDomain, writeKeptDomain } from "../state/kept-domain.ts";
import { withRegistryLock } from "../state/locks.ts";

/** Domain with all open settings decided, and its XML if the XML contains all of them. */
export interface CompletedDomain {
  readonly domain: Domain;
  readonly xml?: string;
}

/**
 * Returns the domain of a definition: the stored domain, if it belongs to this XML and this build of svirt.
 * Otherwise parses the XML and stores the domain for the next start. Throws the errors of completeForStart().
 */
export async function completeDefinition(
  instance: Instance,
  definition: Definition,
): Promise<CompletedDomain> {
  const { name, xml } = definition;
  const kept = readKept(instance, definition);
  if (kept !== undefined) return { domain: kept, xml };
  const { domain } = await completeBytes(instance, new TextEncoder().encode(xml));
  // XML edited by hand may leave settings open. Each start decides them again.
  if (instance.build === undefined || namesFirmware(domain.os) || formatDomain(domain) !== xml)
    return { domain };
  await withRegistryLock(instance, async () => {
    if (readDefinition(instance, name)?.xml === xml) keepCompleted(instance, definition, domain);
  });
  return { domain, xml };
}

/** Returns the domain of a document, for a start. Throws the errors of completeForStart(). */
export async function completeBytes(instance: Instance, bytes: Uint8Array): Promise<CompletedDomain> {
  // Loaded on demand: a start with a stored domain does without it.
  const { completeForStart } = await import("./complete-domain.ts");
  return { domain: completeForStart(instance, bytes) };
}

/**
 * Stores the domain of a definition, so that a start need not parse its XML. The caller holds the registry
 * lock.
 */
export function keepCompleted(instance: Instance, { uuid, xml }: Definition, domain: Domain): void {
  // The host may have other firmware at the next start.
  if (namesFirmware(domain.os)) return;
  writeKeptDomain(instance, { path: completedFile(instance.paths, uuid), xml }, domain);
}

/**
 * Returns the stored domain of a definition, or of a guest that runs with the same XML; undefined if it is of
 * another XML or another build of svirt.
 */
export function readKept(
  instance: Instance,
  { uuid, xml }: Pick<Definition, "uuid" | "xml">,
): Domain | undefined {
  return readKeptDomain(instance, { path: completedFile(instance.paths, uuid), xml });
}
