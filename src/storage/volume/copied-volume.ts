import { SvirtError } from "../../errors.ts";
import type { NewImage } from "../../images/new-qcow2.ts";
import type { Qcow2Properties } from "../../images/qcow2-features.ts";
import { notMade } from "./creation-refusal.ts";
import type { Volume } from "./document.ts";
import { type CreationFlags, decideNewVolume, type NewVolume, notPreallocated } from "./new-volume.ts";

/** Unit of the size of a qcow2 image. BDRV_SECTOR_SIZE of qemu.git */
const SECTOR_BYTES = 512;

/** Copied volume, as its file shows it. */
export interface CopySource {
  readonly format: string;
  readonly capacityBytes: number;
  /** Whether it is a block device, always raw. */
  readonly isDevice: boolean;
  /** Path of its backing file. */
  readonly backing: string | undefined;
  /** Properties of a qcow2 image. */
  readonly options: Qcow2Properties | undefined;
  /**
   * Whether it has other files by names the copy would share, or names with another meaning from the copy's
   * place.
   */
  readonly isBound: "by its data file" | "by a relative name" | undefined;
  /** Of an encrypted volume; its capacity is the length of all its bytes, if it is raw. */
  readonly encryption?: {
    /** Whether the document asks for a copy that is encrypted as its source is. */
    readonly isKept: boolean;
    /**
     * Length of a raw volume's header in bytes, which a document's capacity does not count; undefined: svirt
     * cannot read it.
     */
    readonly headerBytes: number | undefined;
  };
}

/** Flags of a creation from another volume. */
export interface CopyFlags extends CreationFlags {
  /** Whether both must share their space on disk, rather than only may. */
  readonly isReflink: boolean;
}

/** Volume with the data of another volume. */
export interface CopiedVolume extends NewVolume {
  readonly format: NewImage["format"];
  readonly capacityBytes: number;
  /** Whether svirt writes its image; otherwise it has the bytes of its source. */
  readonly isConverted: boolean;
}

/**
 * Decides about a volume with the data of another. Its capacity is at least the source's. A qcow2 image
 * requested in its source's form gets the source's bytes; any other is converted, and has no backing file.
 * Properties left out by the document are a qcow2 source's. Throws "unsupported", with the place.
 * storageVolCreateXMLFrom(), createRawFile() and virStorageBackendCreateQemuImgSetBacking() of libvirt
 */
export function decideCopiedVolume(volume: Volume, source: CopySource, flags: CopyFlags): CopiedVolume {
  const from = formatOf(source.format);
  const capacityBytes = capacityOf(volume, source);
  // As of the source's description, the basis of a clone.
  const format = formatOf(volume.target.format?.type ?? "raw");
  const decided = decideNewVolume(
    { ...volume, capacityBytes, target: { ...targetOf(volume, source), format: { type: format } } },
    flags,
  );
  if (volume.target.encryption !== undefined)
    throw notMade("target/encryption", "svirt does not encrypt the data of another volume");
  if (from !== "raw" && from !== "qcow2")
    throw notMade("target/format", `the source is ${from}, and svirt converts raw and qcow2 images only`);
  const isSame = format === from && (from === "raw" ? !source.isDevice : isAsSource(volume, source));
  refuseDecrypted(source, isSame);
  refuseUnmade(volume, source, { ...flags, isSame });
  // A sparse copy, if less space is requested than the source may take; and of an image that is converted, if
  // none is requested.
  const unless = from === "raw" ? capacityBytes : 0;
  const isSparse = (volume.allocationBytes ?? unless) < source.capacityBytes;
  return {
    ...decided,
    capacityBytes: format === "raw" ? capacityBytes : Math.ceil(capacityBytes / SECTOR_BYTES) * SECTOR_BYTES,
    reservedBytes: isSparse ? 0 : decided.reservedBytes,
    isConverted: !isSame,
  };
}

/**
 * Returns the capacity of a copy in bytes: of a raw encrypted volume, with its header. Throws "unsupported".
 */
function capacityOf({ capacityBytes: requested = 0 }: Volume, source: CopySource): number {
  const { capacityBytes, encryption = { headerBytes: 0 } } = source;
  const { headerBytes } = encryption;
  if (headerBytes !== undefined) return Math.max(requested + headerBytes, capacityBytes);
  if (requested <= capacityBytes) return capacityBytes;
  throw notMade("capacity", "svirt cannot read the header of the encrypted source, and copies all its bytes");
}

function formatOf(word: string): string {
  return word === "iso" ? "raw" : word;
}

/** Adds the source's properties left out by the document. */
function targetOf({ target }: Volume, { options }: CopySource): Volume["target"] {
  if (target.format?.type !== "qcow2" || options === undefined) return target;
  const {
    clusterBytes = options.clusterBytes,
    compat = options.compat,
    features = { extendedL2: options.extendedL2, lazyRefcounts: options.lazyRefcounts },
  } = target;
  return { ...target, clusterBytes, compat, features };
}

/** Decides whether a qcow2 volume would have all properties of its source. */
function isAsSource({ backingStore, capacityBytes = 0, target }: Volume, source: CopySource): boolean {
  const { options } = source;
  const { clusterBytes, compat, features } = target;
  return (
    capacityBytes <= source.capacityBytes &&
    backingStore?.path === source.backing &&
    (clusterBytes ?? options?.clusterBytes) === options?.clusterBytes &&
    (compat ?? options?.compat) === options?.compat &&
    (features === undefined || wordsOf(features) === wordsOf(options))
  );
}

function refuseUnmade(
  { backingStore }: Volume,
  source: CopySource,
  { isMetadataPreallocated, isReflink, isSame }: CopyFlags & { readonly isSame: boolean },
): void {
  if (source.isBound === "by its data file" || (isSame && source.isBound !== undefined))
    throw boundSource(source.isBound);
  if (backingStore !== undefined && backingStore.path !== source.backing)
    throw notMade("backingStore", "a different backing store cannot be specified.");
  if (backingStore !== undefined && !isSame)
    throw notMade(
      "backingStore",
      "a copy with the backing file of its source has its size and properties too",
    );
  if (isMetadataPreallocated === true)
    throw notPreallocated(
      `Cannot create the volume: ${isSame ? "a copy of a qcow2 image has the tables of its source" : "a converted image has tables for its data only"}`,
    );
  if (isReflink && !isSame) throw notShared();
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

/** Throws "unsupported" for an incomplete copy, or a copy with another encryption. */
function refuseDecrypted({ encryption }: CopySource, isSame: boolean): void {
  if (encryption === undefined || (encryption.isKept && isSame)) return;
  throw encryptedSource();
}

/**
 * The copy would have the encrypted bytes as a guest's data, or be encrypted though the document does not say
 * so.
 */
function encryptedSource(): SvirtError {
  return new SvirtError(
    "Cannot create the volume: the source is encrypted, and svirt copies it only as it is",
    {
      kind: "unsupported",
      place: "/volume/target/encryption",
      remedy:
        "Clone it: svirt vol-clone, or the source's own XML with another name. For a raw disk that its guest encrypts, use --inputformat raw.",
    },
  );
}

function notShared(): SvirtError {
  return new SvirtError("Cannot create the volume: a converted image shares no data with its source", {
    kind: "unsupported",
    remedy: "Leave --reflink out.",
  });
}
