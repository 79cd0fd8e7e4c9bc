import { parseDomainText } from "../domain/document.ts";
import { listResources } from "../domain/resources.ts";
import { SvirtError } from "../errors.ts";
import { diskRole } from "../label/file-rule.ts";
import { fileKey } from "../plan/start-plan.ts";
import { resolveReferences } from "../xml/references.ts";
import { type Definition, listDefinitionNames, readDefinition } from "./definitions.ts";
import type { Node } from "./node.ts";
import type { UsedFile } from "./used-file.ts";

/** What may be a disk's path in the stored form, which svirt writes itself. */
const SOURCE = /<source [^>]*?\b(?:file|dev)='(\/[^']*)'/g;

/**
 * Throws "label-taken" for a file that the header of an image names, and not the XML, if another definition has it as a disk
 * of its own: a guest that has taken its QEMU over writes into that header what it likes, and would be given another's
 * disk at its next start.
 */
export function refuseOthersDisk(node: Node, uuid: string, { facts, isNamedByImage, named }: UsedFile): void {
  if (isNamedByImage !== true) return;
  const key = fileKey(facts.id);
  for (const name of listDefinitionNames(node)) {
    const other = readDefinition(node, name);
    if (other === undefined || other.uuid === uuid || !hasDisk(node, other, key)) continue;
    throw new SvirtError(
      `Cannot give ${named} to the guest: an image's header names it, and it is a disk of '${name}'`,
      {
        kind: "label-taken",
        remedy:
          "If that is meant, say so in the disk's XML: <backingStore> for an image below, <dataStore> for its data.",
      },
    );
  }
}

/** Whether it has that file for itself. To parse a definition takes long: so its text is looked at first. */
function hasDisk(node: Node, { xml }: Definition, key: string): boolean {
  const isIt = (path: string): boolean => {
    const found = node.host.inspectFile(path);
    return found !== undefined && fileKey(found.id) === key;
  };
  const paths = [...xml.matchAll(SOURCE)].map(([, text = ""]) => resolveReferences(text));
  if (!paths.some((path) => typeof path === "string" && isIt(path))) return false;
  return listResources(parseDomainText(xml)).some((found) => {
    if (found.kind !== "disk" || diskRole(found) !== "private") return false;
    return isIt(found.path) || (found.dataFile !== undefined && isIt(found.dataFile.path));
  });
}
