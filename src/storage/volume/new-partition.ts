import { SvirtError } from "../../errors.ts";
import type { NewPartition, Partition, PartitionTable } from "../pool/disk/table.ts";
import { notMade } from "./creation-refusal.ts";
import type { Volume } from "./document.ts";
import { labelOfDevice, neededCapacity } from "./new-logical.ts";

/** Boundary of partitions, as in sfdisk(8), for the blocks of all disks. */
const GRAIN_BYTES = 1024 * 1024;
/**
 * Boundary before the next partition. The kernel writes whole blocks of a disk, up to a page of memory. If
 * two partitions share a block, writing one overwrites new data of the other with old data. The value is the
 * largest page size of the supported architectures.
 */
const BLOCK_BYTES = 64 * 1024;
/** Most partitions of a table; more of type dos are in an extended partition. */
const MOST: ReadonlyMap<string, number> = new Map([
  ["gpt", 128],
  ["dos", 4],
]);
/** Most sectors of a table of type dos. */
const DOS_SECTORS = 2 ** 32 - 1;
/**
 * Types of libvirt's formats in a table of type dos, as parted(8) sets them. virStoragePartedFsType of
 * libvirt
 */
const DOS_TYPES: ReadonlyMap<string, string> = new Map([
  ["none", "83"],
  ["linux", "83"],
  ["fat16", "e"],
  ["fat32", "c"],
  ["linux-swap", "82"],
  ["linux-lvm", "83"],
  ["linux-raid", "83"],
]);

/** Disk with a new partition. */
interface PartitionedDisk {
  /** Name of its device node, such as sdb. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly table: PartitionTable;
}

/**
 * Decides about a new partition: it is in the smallest sufficient free part. Throws "usage" for a volume with
 * a name other than the partition's, "unsupported" for a volume svirt does not make, "wrong-state" without
 * space. virStorageBackendDiskCreateVol() of libvirt
 */
export function decidePartition(volume: Volume, disk: PartitionedDisk): NewPartition {
  const { label, partitions, sectorBytes } = disk.table;
  if (volume.target.encryption !== undefined)
    throw notMade("target/encryption", "svirt creates encrypted volumes in files only");
  if (volume.backingStore !== undefined) throw notMade("backingStore", "a partition has none");
  if (volume.target.permissions?.label !== undefined) throw labelOfDevice();
  const most = MOST.get(label);
  if (most === undefined) throw otherTable(disk.name, label);
  const type = typeOf(volume, label);
  const size = roundedUp(neededCapacity(volume), sectorBytes);
  const numbers = new Set(partitions.map((one) => one.number));
  const number = Array.from({ length: most }, (_, at) => at + 1).find((one) => !numbers.has(one));
  if (number === undefined) throw fullTable(label);
  const name = `${disk.name}${/\d$/.test(disk.name) ? "p" : ""}${number}`;
  if (volume.name !== name) throw otherName(volume.name, name);
  const start = startOf(disk, size);
  return { number, name, startSector: start / sectorBytes, sectors: size / sectorBytes, type };
}

/** Returns the place of a partition in bytes from the disk's beginning. */
export function placeOfPartition(
  { sectors, startSector }: Pick<NewPartition, "sectors" | "startSector">,
  { sectorBytes }: Pick<PartitionTable, "sectorBytes">,
): { readonly start: number; readonly end: number } {
  return { start: startSector * sectorBytes, end: (startSector + sectors) * sectorBytes };
}

/** Whether a partition decided by a table can still be made in another. */
export function isStillFree(made: NewPartition, decidedBy: PartitionTable, table: PartitionTable): boolean {
  const { end, start } = placeOfPartition(made, decidedBy);
  return (
    table.label === decidedBy.label &&
    table.sectorBytes === decidedBy.sectorBytes &&
    table.partitions.every((one) => one.number !== made.number && (one.end <= start || one.start >= end))
  );
}

function typeOf({ target }: Volume, label: string): string | undefined {
  const written = target.format?.type ?? "none";
  // The default of a volume without a type in its XML.
  const format = written === "raw" ? "none" : written;
  if (format === "extended") throw notMade("target/format", "svirt makes no extended partitions");
  const type = DOS_TYPES.get(format);
  if (type === undefined)
    throw notMade("target/format", `it must be one of ${[...DOS_TYPES.keys()].join(", ")}`);
  return label === "dos" ? type : undefined;
}

function startOf({ sizeBytes, table }: PartitionedDisk, size: number): number {
  const { label, partitions, sectorBytes } = table;
  const end = table.usable?.end ?? sizeBytes;
  const whole = {
    start: Math.max(GRAIN_BYTES, table.usable?.start ?? 0),
    end: label === "dos" ? Math.min(end, DOS_SECTORS * sectorBytes) : end,
  };
  const [best] = freeParts(whole, partitions)
    .filter((part) => part.end - part.start >= size)
    .sort((a, b) => a.end - a.start - (b.end - b.start));
  if (best === undefined) throw noSpace();
  return best.start;
}

/**
 * Lists the free parts of a disk, from boundaries on. A partition within an extended partition is in a part
 * in use.
 */
function freeParts(
  whole: Omit<Partition, "number">,
  partitions: readonly Partition[],
): readonly Omit<Partition, "number">[] {
  const free: Omit<Partition, "number">[] = [];
  let at = whole.start;
  for (const { end, start } of [...partitions].sort((a, b) => a.start - b.start)) {
    const blockEnd = start - (start % BLOCK_BYTES);
    free.push({ start: roundedUp(at, GRAIN_BYTES), end: Math.min(blockEnd, whole.end) });
    at = Math.max(at, end);
  }
  return [...free, { start: roundedUp(at, GRAIN_BYTES), end: whole.end }];
}

function roundedUp(bytes: number, unit: number): number {
  return Math.ceil(bytes / unit) * unit;
}

function otherTable(disk: string, label: string): SvirtError {
  return new SvirtError(`Cannot create the volume: /dev/${disk} has a partition table of type ${label}`, {
    kind: "unsupported",
    remedy: "Partition the disk with the host's tools: svirt writes tables of type gpt and dos.",
  });
}

function fullTable(label: string): SvirtError {
  return new SvirtError("internal error: no extended partition found and no primary partition available", {
    kind: "wrong-state",
    libvirt: "INTERNAL_ERROR",
    from: "STORAGE",
    remedy: label === "dos" ? "Delete a volume, or use a disk with a table of type gpt." : "Delete a volume.",
  });
}

/** virStorageBackendDiskMakeDataVol() of libvirt */
function otherName(name: string, expected: string): SvirtError {
  return new SvirtError(`invalid argument: invalid partition name '${name}', expected '${expected}'`, {
    kind: "usage",
    libvirt: "INVALID_ARG",
    from: "STORAGE",
    place: "/volume/name",
    remedy: `Name the volume ${expected}.`,
  });
}

/** virStorageBackendDiskPartBoundaries() of libvirt */
function noSpace(): SvirtError {
  return new SvirtError("internal error: no large enough free extent", {
    kind: "wrong-state",
    libvirt: "INTERNAL_ERROR",
    from: "STORAGE",
    remedy: "Request a smaller capacity, or delete a volume.",
  });
}
