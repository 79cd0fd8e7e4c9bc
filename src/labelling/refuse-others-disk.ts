import { parseDomainText } from "../domain/document.ts";
import { listResources } from "../domain/resources/resources.ts";
import { SvirtError } from "../errors.ts";
import { LABEL_ROLES, useOfDisk } from "../label/roles.ts";
import { fileKey } from "../plan/facts/file-key.ts";
import type { ResolvedFile } from "../resolve/resolved-file.ts";
import { type Definition, listDefinitionNames, readDefinition } from "../state/definitions.ts";
import type { Instance } from "../state/instance.ts";
import { resolveReferences } from "../xml/references.ts";

// Rule: A file that only an image's header names is refused if it is another domain's disk.

/** A possible path of a disk in the stored form, which svirt writes itself. */
const SOURCE = /<source [^>]*?\b(?:file|dev)='(\/[^']*)'/g;

/**
 * Throws "in-use" for a file named by an image's header only, not the XML, if another definition has it as
 * its own disk. A guest in control of its QEMU can write any path into the header, and would get another
 * guest's disk at its next start.
 */
export function refuseOthersDisk(instance: Instance, uuid: string, files: readonly ResolvedFile[]): void {
  const named = new Map<string, string>();
  for (const file of files) if (file.isNamedByImage === true) named.set(fileKey(file.facts.id), file.named);
  if (named.size === 0) return;
  for (const name of listDefinitionNames(instance)) {
    const other = readDefinition(instance, name);
    const found = other === undefined || other.uuid === uuid ? undefined : findOwn(instance, other, named);
    if (found === undefined) continue;
    throw new SvirtError(
      `Cannot give ${found} to the guest: an image's header names that file, which is a disk of '${name}'`,
      {
        kind: "in-use",
        remedy:
          "If that is intended, name the file in the disk's XML: by <backingStore> as a backing image, by <dataStore> as external data.",
      },
    );
  }
}

/**
 * Returns the file that the definition has for itself. Parsing a definition is slow, so its text is searched
 * first.
 */
function findOwn(
  instance: Instance,
  { xml }: Definition,
  named: ReadonlyMap<string, string>,
): string | undefined {
  const whichIs = (path: string): string | undefined => {
    const found = instance.host.inspectFile(path);
    return found === undefined ? undefined : named.get(fileKey(found.id));
  };
  const paths = [...xml.matchAll(SOURCE)].map(([, text = ""]) => resolveReferences(text));
  if (!paths.some((path) => typeof path === "string" && whichIs(path) !== undefined)) return undefined;
  for (const disk of listResources(parseDomainText(xml))) {
    if (disk.kind !== "disk" || LABEL_ROLES.disk[useOfDisk(disk)].role !== "private") continue;
    const found =
      whichIs(disk.path) ?? (disk.dataFile === undefined ? undefined : whichIs(disk.dataFile.path));
    if (found !== undefined) return found;
  }
  return undefined;
}
