import { parseDomainText } from "../../../domain/document.ts";
import type { Domain } from "../../../domain/domain.ts";
import { parseSnapshotText } from "../../../domain/other-documents/snapshot.ts";
import { listResources } from "../../../domain/resources/resources.ts";

/**
 * Whether a definition, or a domain of a snapshot, has a disk with backing files at one of these paths. Only a disk of a format with backing files has some: in
 * another, the guest wrote the header.
 */
export function hasDiskAbove(xml: string, tops: ReadonlySet<string>): boolean {
  return domainsIn(xml)
    .flatMap(listResources)
    .some(
      (disk) =>
        disk.kind === "disk" &&
        [disk, ...disk.backing].some(
          ({ format, path }) => format !== "raw" && format !== undefined && tops.has(path),
        ),
    );
}

function domainsIn(xml: string): Domain[] {
  if (!xml.startsWith("<domainsnapshot")) return [parseDomainText(xml)];
  const { domain, inactiveDomain } = parseSnapshotText(xml);
  return [domain, inactiveDomain].filter(isWhole);
}

function isWhole(one: object | undefined): one is Domain {
  return one !== undefined && "devices" in one;
}
