import { parseDomainText } from "../../domain/document.ts";
import { listResources } from "../../domain/resources/resources.ts";

/**
 * Whether a definition has a disk with backing files at one of these paths. Only a disk of a format with backing files has some: in
 * another, the guest wrote the header.
 */
export function hasDiskAbove(xml: string, tops: ReadonlySet<string>): boolean {
  return listResources(parseDomainText(xml)).some(
    (disk) =>
      disk.kind === "disk" &&
      [disk, ...disk.backing].some(
        ({ format, path }) => format !== "raw" && format !== undefined && tops.has(path),
      ),
  );
}
