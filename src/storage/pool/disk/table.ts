import * as v from "valibot";
import { SvirtError } from "../../../errors.ts";

const [SFDISK, PARTX] = ["/usr/sbin/sfdisk", "/usr/bin/partx"] as const;
/**
 * Labels of sfdisk(8) for libvirt's formats of a disk; an omitted format is dos.
 * virStorageBackendDiskBuildPool() of libvirt
 */
const LABELS: ReadonlyMap<string, string> = new Map([
  ["unknown", "dos"],
  ["dos", "dos"],
  ["gpt", "gpt"],
]);

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const written = v.object({
  partitiontable: v.object({
    label: v.string(),
    firstlba: v.optional(count),
    lastlba: v.optional(count),
    sectorsize: v.pipe(count, v.minValue(512)),
    partitions: v.optional(
      v.array(v.object({ node: v.string(), start: count, size: count, type: v.string() })),
      [],
    ),
  }),
});

/** Partition of a disk, in bytes from the disk's beginning. */
export interface Partition {
  readonly number: number;
  readonly start: number;
  readonly end: number;
}

/** Partition table of a disk. */
export interface PartitionTable {
  readonly label: string;
  readonly sectorBytes: number;
  /** Usable part of the disk, in bytes; undefined: the label does not say. */
  readonly usable: { readonly start: number; readonly end: number } | undefined;
  readonly partitions: readonly Partition[];
}

/** Command of sfdisk with its input, a script. */
interface Sfdisk {
  readonly words: readonly string[];
  readonly input?: string;
}

/** Returns the command for printing the table of a disk. */
export function readTableCommand(device: string): readonly string[] {
  return [SFDISK, "--json", device];
}

/**
 * Returns the command for an empty table, without other marks of the disk. Throws "unsupported" for a format
 * svirt does not make.
 */
export function makeTableCommand(device: string, format: string): Sfdisk {
  const label = LABELS.get(format);
  if (label !== undefined)
    return { words: [SFDISK, "--quiet", "--wipe", "always", device], input: `label: ${label}\n` };
  throw new SvirtError(
    `Cannot use /pool/source/format/@type: svirt makes no partition tables of type ${format}`,
    {
      kind: "unsupported",
      place: "/pool/source/format/@type",
      remedy: "Write <format type='gpt'/> or <format type='dos'/>, or make the table with the host's tools.",
    },
  );
}

/** New partition, in sectors of its disk. */
export interface NewPartition {
  readonly number: number;
  /** Name of its device node. */
  readonly name: string;
  readonly startSector: number;
  readonly sectors: number;
  /** Type in a table of type dos; undefined: the standard type. */
  readonly type: string | undefined;
}

/** Returns the command for adding a partition. Other partitions stay, also partitions in use. */
export function addPartitionCommand(device: string, partition: NewPartition): Sfdisk {
  const { name, sectors, startSector, type } = partition;
  const words = [`start=${startSector}`, `size=${sectors}`, ...(type === undefined ? [] : [`type=${type}`])];
  return {
    words: [SFDISK, "--quiet", "--append", "--no-reread", device],
    input: `/dev/${name} : ${words.join(", ")}\n`,
  };
}

/** Returns the command for removing a partition. */
export function deletePartitionCommand(device: string, number: number): Sfdisk {
  return { words: [SFDISK, "--quiet", "--no-reread", "--delete", device, String(number)] };
}

/**
 * Returns the command for making a partition of the table known to the kernel, or unknown. sfdisk leaves this
 * out while another partition is in use.
 */
export function kernelCommand(device: string, act: "add" | "delete", number: number): Sfdisk {
  return { words: [PARTX, `--${act}`, "--nr", String(number), device] };
}

/** Reads the output of readTableCommand(). Throws "failed" for any other. */
export function parseTable(text: string): PartitionTable {
  const read = v.safeParse(v.pipe(v.string(), v.parseJson(), written), text);
  if (!read.success) throw unreadable();
  const { firstlba, label, lastlba, partitions, sectorsize: sectorBytes } = read.output.partitiontable;
  const isBounded = firstlba !== undefined && lastlba !== undefined;
  return {
    label,
    sectorBytes,
    usable: isBounded ? { start: firstlba * sectorBytes, end: (lastlba + 1) * sectorBytes } : undefined,
    partitions: partitions.map(({ node, size, start }) => ({
      number: Number(/(\d+)$/.exec(node)?.[1] ?? 0),
      start: start * sectorBytes,
      end: (start + size) * sectorBytes,
    })),
  };
}

function unreadable(): SvirtError {
  return new SvirtError("Cannot read the report of sfdisk: it is not of the form that svirt knows", {
    kind: "failed",
    remedy: "Check the version of sfdisk: sfdisk --version. svirt is tested with 2.41.",
  });
}
