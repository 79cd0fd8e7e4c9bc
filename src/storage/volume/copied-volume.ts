import { SvirtError } from "../../errors.ts";
import type { Qcow2Properties } from "../../images/qcow2-features.ts";
import type { Volume } from "./document.ts";
import {
  type CreationFlags,
  decideNewVolume,
  type NewVolume,
  notMade,
  notPreallocated,
} from "./new-volume.ts";

/** Volume that is copied, as its file shows it. */
export interface CopySource {
  readonly format: string;
  readonly capacityBytes: number;
  /** Path of its backing file. */
  readonly backing: string | undefined;
  /** Properties of a qcow2 image. */
  readonly options: Qcow2Properties | undefined;
  /** Whether it has other files at names that the copy would share, or that do not lead from there to the same file. */
  readonly isBound: "by its data file" | "by a relative name" | undefined;
}

/**
 * Decides about a volume with the data of another one. Its capacity is at least that of the source. An image with a header is
 * copied byte by byte: it has the properties of its source. Throws "unsupported", with the place, for any others.
 * storageVolCreateXMLFrom() and createRawFile() of libvirt
 */
export function decideCopiedVolume(
  volume: Volume,
  source: CopySource,
  flags: CreationFlags,
): NewVolume & { readonly capacityBytes: number } {
  const capacityBytes = Math.max(volume.capacityBytes ?? 0, source.capacityBytes);
  // As of the source's description, from which a clone is made.
  const format = volume.target.format?.type === "iso" ? "raw" : volume.target.format?.type;
  const target = { ...volume.target, ...(format === undefined ? {} : { format: { type: format } }) };
  const decided = decideNewVolume({ ...volume, capacityBytes, target }, flags);
  if (decided.format !== (source.format === "iso" ? "raw" : source.format))
    throw notMade("target/format", `the source is ${source.format}, and svirt does not convert images`);
  if (decided.preallocated !== undefined)
    throw notPreallocated("Cannot create the volume: a copy of a qcow2 image has the tables of its source");
  if (decided.format !== "raw") refuseOther(volume, source, capacityBytes);
  // A sparse copy, if less space is requested than the source may take.
  const isSparse = (volume.allocationBytes ?? capacityBytes) < source.capacityBytes;
  return { ...decided, capacityBytes, reservedBytes: isSparse ? 0 : decided.reservedBytes };
}

function refuseOther({ backingStore, target }: Volume, source: CopySource, capacityBytes: number): void {
  if (capacityBytes !== source.capacityBytes)
    throw notMade(
      "capacity",
      `a copy of a qcow2 image has the capacity of its source, ${source.capacityBytes} bytes`,
    );
  if (source.isBound !== undefined) throw boundSource(source.isBound);
  if (backingStore?.path !== source.backing)
    throw notMade("backingStore", `a copy has the backing file of its source, ${source.backing ?? "none"}`);
  const { clusterBytes, compat, features } = target;
  const { options } = source;
  for (const [place, value, own] of [
    ["compat", compat, options?.compat],
    ["clusterSize", clusterBytes, options?.clusterBytes],
    ["features", wordsOf(features), wordsOf(options)],
  ] as const)
    if (value !== undefined && value !== own)
      throw notMade(`target/${place}`, "a copy has that of its source");
}

/** Returns features as text, to compare them. */
function wordsOf(
  features: Pick<Qcow2Properties, "extendedL2" | "lazyRefcounts"> | undefined,
): string | undefined {
  return features && `${features.lazyRefcounts} ${features.extendedL2}`;
}

function boundSource(how: NonNullable<CopySource["isBound"]>): SvirtError {
  const isData = how === "by its data file";
  const why = isData ? "its data is in another file" : "it names its backing file relative to its folder";
  return new SvirtError(`Cannot copy the volume: ${why}`, {
    kind: "unsupported",
    remedy: isData
      ? "Make a whole image of it: qemu-img convert -O qcow2 IMAGE COPY."
      : "Copy it within its pool, or write the whole name into it: qemu-img rebase -u -b FILE -F FORMAT IMAGE.",
  });
}
