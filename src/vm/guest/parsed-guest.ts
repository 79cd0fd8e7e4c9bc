import { keepDomainAt } from "../../domain/document.ts";
import { parsedFile } from "../../plan/paths.ts";
import { removeText } from "../../run/remove-text.ts";
import type { Instance } from "../../state/instance.ts";
import { readKeptDomain, writeKeptDomain } from "../../state/kept-domain.ts";
import { type GuestRecord, isWritten, readRecord } from "../../state/record.ts";

/**
 * Has the first command on a running guest keep the domain that it parses, and the others read it: parsing
 * the XML is half of a small command. The guest's end removes the file.
 */
export function keepParsed(instance: Instance, { startedMs, uuid, xml }: GuestRecord): void {
  if (instance.build === undefined) return;
  const kept = { path: parsedFile(instance.paths, uuid), xml };
  keepDomainAt(xml, {
    read: () => readKeptDomain(instance, kept),
    write(domain) {
      isWritten(() => writeKeptDomain(instance, kept, domain));
      // The guest's end removes the file and then the record.
      if (readRecord(instance, uuid)?.startedMs !== startedMs) removeParsed(instance, uuid);
    },
  });
}

/** Removes the parsed domain of an ended guest. */
export function removeParsed({ host, paths }: Instance, uuid: string): void {
  removeText(host, parsedFile(paths, uuid));
}
