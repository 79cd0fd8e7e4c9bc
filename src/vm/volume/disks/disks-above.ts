import type { BackingStore } from "../../../domain/devices/disk/backing-store.ts";
import type { Disk } from "../../../domain/devices/disk/disk.ts";
import { imageFormatOf } from "../../../domain/devices/disk/facts.ts";
import { parseDomainText } from "../../../domain/document.ts";
import type { Domain } from "../../../domain/domain.ts";
import { parseSnapshotText } from "../../../domain/other-documents/snapshot.ts";

/** Images from which a file is named, and how to find the paths of a volume by its pool. */
interface Above {
  readonly tops: ReadonlySet<string>;
  pathsOf(pool: string, volume: string): readonly string[];
}

/**
 * Whether a definition, or a domain of a snapshot, has a disk with backing files at one of these paths. Only
 * a disk of a format with backing files has some: in another, the guest wrote the header.
 */
export function hasDiskAbove(xml: string, above: Above): boolean {
  return domainsIn(xml)
    .flatMap(({ devices }) => devices.disks)
    .some((disk) => imagesOf(disk).some((image) => isAbove(image, above)));
}

/** Image of a disk: its own, or one below it. */
type Image = Pick<Disk, "source" | "type"> & { readonly format: string | undefined };

function imagesOf(disk: Disk): readonly Image[] {
  const images: Image[] = [{ type: disk.type, source: disk.source, format: imageFormatOf(disk) } as Image];
  for (
    let next: BackingStore | undefined = disk.backingStore;
    next !== undefined && next.type !== "end";
    next = next.backingStore
  )
    images.push({ type: next.type, source: next.source, format: next.format.type } as Image);
  return images;
}

function isAbove({ format, source }: Image, { pathsOf, tops }: Above): boolean {
  if (format === "raw" || format === undefined || source === undefined) return false;
  if ("file" in source) return tops.has(source.file);
  if ("dev" in source) return tops.has(source.dev);
  return "volume" in source && pathsOf(source.pool, source.volume).some((path) => tops.has(path));
}

function domainsIn(xml: string): Domain[] {
  if (!xml.startsWith("<domainsnapshot")) return [parseDomainText(xml)];
  const { domain, inactiveDomain } = parseSnapshotText(xml);
  return [domain, inactiveDomain].filter(isWhole);
}

function isWhole(one: object | undefined): one is Domain {
  return one !== undefined && "devices" in one;
}
