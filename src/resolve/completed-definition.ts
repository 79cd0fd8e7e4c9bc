import { formatDomain } from "../domain/document.ts";
import type { Domain } from "../domain/domain.ts";
import { namesFirmware } from "../domain/names-firmware.ts";
import { completedFile, completedFolder } from "../plan/paths.ts";
import { type Definition, readDefinition } from "../state/definitions.ts";
import type { Node } from "../state/instance.ts";
import { withRegistryLock } from "../state/locks.ts";

/** A domain with all that its XML leaves open decided; with that XML, where it says all of it. */
export interface CompletedDomain {
  readonly domain: Domain;
  readonly xml?: string;
}

/**
 * A definition's domain: as it was kept, for this XML and by this build of svirt; else read from the XML, and kept for the
 * next start. Throws what completeForStart() throws.
 */
export async function completeDefinition(node: Node, definition: Definition): Promise<CompletedDomain> {
  const { name, xml } = definition;
  const kept = readKept(node, definition);
  if (kept !== undefined) return { domain: kept, xml };
  const { domain } = await completeBytes(node, new TextEncoder().encode(xml));
  // What somebody has changed by hand may leave something open, and that is decided anew at each start.
  if (node.build === undefined || namesFirmware(domain.os) || formatDomain(domain) !== xml) return { domain };
  await withRegistryLock(node, async () => {
    if (readDefinition(node, name)?.xml === xml) keepCompleted(node, definition, domain);
  });
  return { domain, xml };
}

/** The domain of a document, for a start. Throws what completeForStart() throws. */
export async function completeBytes(node: Node, bytes: Uint8Array): Promise<CompletedDomain> {
  // Read in when there is something to complete: a start of what was kept does without.
  const { completeForStart } = await import("./complete-domain.ts");
  return { domain: completeForStart(node, bytes) };
}

/** Keeps what a definition was made of, so that a start need not read its XML. The caller holds the registry's lock. */
export function keepCompleted(node: Node, definition: Definition, domain: Domain): void {
  const key = keyOf(node, definition);
  // The host's firmware may be another at the next start.
  if (key === undefined || namesFirmware(domain.os)) return;
  node.host.makeFolder({ path: completedFolder(node.paths), mode: 0o700 });
  node.host.writeVolatile(completedFile(node.paths, definition.uuid), key + JSON.stringify(domain), 0o600);
}

/** Missing is fine. */
export function forgetCompleted(node: Node, uuid: string): void {
  node.host.removeFile(completedFile(node.paths, uuid));
}

function readKept(node: Node, definition: Definition): Domain | undefined {
  const key = keyOf(node, definition);
  const text = key === undefined ? undefined : node.host.readText(completedFile(node.paths, definition.uuid));
  if (key === undefined || text?.startsWith(key) !== true) return undefined;
  try {
    // Written by this very build, which is why no schema has to say what it is.
    return JSON.parse(text.slice(key.length)) as Domain;
  } catch {
    // Cut short by a power failure.
    return undefined;
  }
}

/** What the kept domain begins with: whatever else is read is of another XML, or by another svirt. */
function keyOf({ build }: Node, { xml }: Definition): string | undefined {
  return build === undefined ? undefined : `${build}\n${xml}`;
}
