import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import type { Host } from "../../host/host.ts";
import type { Partition } from "../../storage/pool/disk/table.ts";
import { nodeAt, type PoolDevice, type StablePath, stablePaths, unlessGone } from "./pool-device.ts";

const BY_NUMBER = "/sys/dev/block";
/** Unit of `start` and `size`, whatever the disk's own is. Documentation/ABI/stable/sysfs-block of Linux */
const SECTOR_BYTES = 512;
/**
 * Highest number of a partition of a table of type dos outside other partitions. Such a partition may be
 * extended.
 */
export const LAST_PRIMARY = 4;
/** Most of an extended partition shown by the kernel. block/partitions/msdos.c of Linux */
const EXTENDED_SECTORS = 8;

/** Source and target of a pool of partitions. */
interface PartitionedDisk {
  readonly source: string;
  readonly target: string;
}

/**
 * Lists the partitions of a disk that have a path in the target. An extended partition is none: it only
 * contains others. Throws as partitionedDisk(). virStorageBackendDiskReadPartitions() of libvirt
 */
export function listPartitions(host: Host, { source, target }: PartitionedDisk): readonly PoolDevice[] {
  const disk = `${BY_NUMBER}/${partitionedDisk(host, source).id.node}`;
  const pathOf = stablePaths(host, target);
  return host.listFolder(disk).flatMap((name) => {
    const folder = `${disk}/${name}`;
    const found = unlessGone(host, folder, () => partitionAt(host, folder, { name, source, pathOf }));
    return found === undefined ? [] : [found];
  });
}

function partitionAt(
  host: Host,
  folder: string,
  { name, pathOf, source }: { readonly name: string; readonly source: string; readonly pathOf: StablePath },
): PoolDevice | undefined {
  const partition = readPartition(host, folder);
  if (partition === undefined) return undefined;
  const { end, number, start } = partition;
  if (number <= LAST_PRIMARY && end - start <= EXTENDED_SECTORS * SECTOR_BYTES) return undefined;
  const path = pathOf(name);
  const facts = path === undefined ? undefined : nodeAt(host, path, folder);
  if (path === undefined || facts === undefined) return undefined;
  const extent = { device: source, start, end };
  return { name, key: path, path, facts, extent };
}

/**
 * Returns the number and place, in bytes, of a partition from its folder in sysfs; undefined for another
 * folder.
 */
export function readPartition(host: Host, folder: string): Partition | undefined {
  const [number, start, size] = ["partition", "start", "size"].map((file) =>
    numberIn(host, `${folder}/${file}`),
  );
  if (number === undefined || start === undefined || size === undefined) return undefined;
  return { number, start: start * SECTOR_BYTES, end: (start + size) * SECTOR_BYTES };
}

/**
 * Returns the facts about the disk of a pool. Throws "not-found" with libvirt's message; "unsupported" for
 * anything but a whole disk.
 */
export function partitionedDisk(host: Host, source: string): FileFacts {
  const facts = source.startsWith("/") ? host.inspectFile(source) : undefined;
  if (facts === undefined) throw unusable(source, `device path '${source}' doesn't exist`, "not-found");
  const isDisk =
    facts.type === "block" && numberIn(host, `${BY_NUMBER}/${facts.id.node}/partition`) === undefined;
  if (isDisk) return facts;
  throw unusable(
    source,
    `Cannot use ${source} as the source of a storage pool: it is no whole disk`,
    "unsupported",
  );
}

function numberIn(host: Host, path: string): number | undefined {
  const text = host.readText(path)?.trim() ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function unusable(source: string, message: string, kind: "not-found" | "unsupported"): SvirtError {
  return new SvirtError(message, {
    kind,
    place: "/pool/source/device/@path",
    remedy: `Name the device of a disk in place of ${source}, such as one in /dev/disk/by-id.`,
  });
}
