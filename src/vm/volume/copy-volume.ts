import type { FileFacts } from "../../host/files.ts";
import type { NewFile } from "../../host/new-file.ts";
import { type GivenFormat, isGivenFormat } from "../../plan/facts/given-format.ts";
import { folderOf } from "../../plan/folder-of.ts";
import type { Progress } from "../../run/actor.ts";
import type { Instance } from "../../state/instance.ts";
import {
  type CopyFlags,
  type CopySource,
  type CopiedVolume as DecidedCopy,
  decideCopiedVolume,
} from "../../storage/volume/copied-volume.ts";
import { parseVolume, type Volume } from "../../storage/volume/document.ts";
import { placeOf } from "./create-volume.ts";
import { findVolume } from "./find-volume.ts";
import { dataOffsetOf } from "./luks-data.ts";
import type { SourceImage } from "./made/conversion.ts";
import { makeVolumeFile } from "./made/volume-file.ts";
import { describeVolume } from "./show-volume.ts";
import { withUnusedVolume } from "./unused-volume.ts";
import { readDeclaredImage, type VolumeImage } from "./volume-image.ts";
import { findAnyPool } from "./volume-pool.ts";

/** Volume to copy. */
interface Source {
  readonly key: string;
  readonly pool: string | undefined;
  /** Format of its image; undefined: that of its first bytes. */
  readonly format?: "raw" | "qcow2" | undefined;
}

/** Copy to make. */
interface Copy {
  readonly volume: Volume;
  readonly source: Source;
  readonly flags: CopyFlags;
  readonly pool: string;
  /**
   * Whether the document is that of the source with another name: then the copy is encrypted as the source
   * is.
   */
  readonly isOfSource: boolean;
  /** Called while an image is converted. */
  readonly onProgress?: Progress;
}

/** A new volume, and the one that it was copied from. */
export interface CopiedVolume {
  readonly name: string;
  readonly path: string;
  readonly source: string;
}

/**
 * Creates the volume that a document describes, with the data of another volume. Throws "xml", "unsupported",
 * "not-found"; "in-use" if a guest uses the source or the volume exists; "denied".
 */
export async function createVolumeFromVolume(
  instance: Instance,
  pool: string,
  { bytes, ...copy }: Omit<Copy, "volume" | "pool" | "isOfSource"> & { readonly bytes: Uint8Array },
): Promise<CopiedVolume> {
  const volume = parseVolume(bytes);
  const { facts, path } = await findVolume(instance, copy.source.key, copy.source.pool);
  // The XML of the source with another name, by which virsh vol-clone and virt-clone make a clone.
  if (volume.target.path !== path)
    return await copyVolume(instance, { ...copy, volume, isOfSource: false, pool });
  const shown = describeVolume(instance, facts).target;
  // Another secret than the source's, or none, asks for another volume.
  const isOfSource = wordsOf(shown.encryption) === wordsOf(volume.target.encryption);
  const clone = withoutPlace(volume);
  return await copyVolume(instance, {
    ...copy,
    volume: isOfSource ? withoutEncryption(clone) : clone,
    isOfSource,
    pool,
  });
}

/** Returns an encryption as text, to compare it. */
function wordsOf(encryption: Volume["target"]["encryption"]): string {
  if (encryption === undefined) return "";
  const { format, secrets, ...rest } = encryption;
  const names = secrets.map(({ usage, uuid }) => [usage, uuid]);
  return JSON.stringify([format, names, Object.values(rest).filter((value) => value !== undefined)]);
}

/** A clone has the encrypted bytes of its source, and so its passphrase. */
function withoutEncryption({ target: { encryption: _, ...target }, ...shape }: Volume): Volume {
  return { ...shape, target };
}

/**
 * Returns a volume's description for a volume beside it. Its label is not carried on: it may be a guest's.
 */
function withoutPlace({ key: _, target: shown, ...shape }: Volume): Volume {
  const { path: __, permissions = {}, ...target } = shown;
  const { label: ___, ...granted } = permissions;
  return { ...shape, target: { ...target, permissions: granted } };
}

/**
 * Creates a volume like another one beside it, with its owner and mode. Throws as createVolumeFromVolume().
 * cmdVolClone() of libvirt's tools/virsh-volume.c
 */
export async function cloneVolume(
  instance: Instance,
  newName: string,
  { flags, source }: { readonly source: Source; readonly flags: CopyFlags },
): Promise<CopiedVolume> {
  const { facts, pool } = await findVolume(instance, source.key, source.pool);
  if (facts.type === "block") {
    // The node has its owner and mode of the host.
    const volume: Volume = { type: "block", name: newName, target: { nocow: false } };
    return await copyVolume(instance, { volume, source, flags, isOfSource: true, pool: pool.uuid });
  }
  const volume = { ...withoutEncryption(withoutPlace(describeVolume(instance, facts))), name: newName };
  return await copyVolume(instance, { volume, source, flags, isOfSource: true, pool: pool.uuid });
}

async function copyVolume(instance: Instance, copy: Copy): Promise<CopiedVolume> {
  const { flags, isOfSource, onProgress, source, volume } = copy;
  const pool = await findAnyPool(instance, copy.pool);
  if (pool.folder === undefined) {
    const { copyToVolume } = await import("./made/copy-to-volume.ts");
    return await copyToVolume(instance, pool, { volume, source, flags, onProgress });
  }
  const { folder } = pool;
  const place = placeOf(instance, folder.id.path, volume);
  // Checked under the lock, and copied without it, since that may take long. A start labels the source, which
  // the copy notices.
  const { decided, name, written, ...sources } = await withUnusedVolume(
    instance,
    { ...source, attempt: "copy" },
    ({ facts, name: found, sizeBytes }) => {
      const { found: sourceFormat, seen } = copySource(
        instance,
        { facts, sizeBytes, source, isOfSource, volume },
        folder,
      );
      const made = decideCopiedVolume(volume, seen, flags);
      const chosen = { facts, format: seen.format === "qcow2" ? seen.format : "raw" } as const;
      const rules = { isAbove: seen.backing !== undefined, isDeclared: source.format !== undefined };
      const images = made.isConverted ? conversions().listConverted(instance, { ...chosen, ...rules }) : [];
      const written = made.isConverted ? made.format : givenOrNone(sourceFormat);
      return { decided: made, images, from: facts, name: found, written };
    },
  );
  await makeVolumeFile(instance, place, { decided, written, ...dataOf(copy, decided, sources) });
  return { name: decided.name, path: place.path, source: name };
}

/**
 * Returns the format to record for a copy; undefined for one that no guest could write, as of an ISO image.
 */
function givenOrNone(format: string): GivenFormat | undefined {
  return isGivenFormat(format) ? format : undefined;
}

/** Returns the data of a new file: an image that is converted, or the bytes of its source. */
function dataOf(
  { flags, onProgress }: Copy,
  { capacityBytes, format, isConverted, options }: DecidedCopy,
  { from, images }: { readonly from: FileFacts; readonly images: readonly SourceImage[] },
): Pick<NewFile, "content" | "copy" | "conversion"> {
  const bytes = new Uint8Array();
  const rawBytes = format === "raw" ? capacityBytes : undefined;
  if (!isConverted)
    return {
      content: { bytes, sizeBytes: rawBytes ?? from.sizeBytes },
      copy: { from: from.id, isShared: flags.isReflink },
    };
  const made = { format, options, sizeBytes: capacityBytes, onProgress };
  return {
    content: { bytes, sizeBytes: rawBytes ?? 0 },
    conversion: conversions().conversionOf(images, made),
  };
}

/** Loads conversions when they are needed: most copies have the bytes of their source. */
function conversions(): typeof import("./made/conversion.ts") {
  return require("./made/conversion.ts");
}

/**
 * Describes the source, and tells the format of its bytes. Throws as readDeclaredImage() and dataOffsetOf().
 */
function copySource(
  instance: Instance,
  {
    facts,
    isOfSource,
    sizeBytes,
    source,
    volume,
  }: Pick<Copy, "isOfSource" | "source" | "volume"> & {
    readonly facts: FileFacts;
    readonly sizeBytes: number;
  },
  folder: FileFacts,
): { readonly seen: CopySource; readonly found: string } {
  const found = readDeclaredImage(instance, facts, source.format);
  // A clone of a LUKS volume has all of its bytes, also its header.
  const image: typeof found = isOfSource && found.format === "luks" ? { format: "raw" } : found;
  const { backing, capacityBytes = sizeBytes, dataFile, isBackingRelative, options } = image;
  const isElsewhere = folderOf(facts.id.path) !== folder.id.path;
  const relative = isElsewhere && isBackingRelative === true ? "by a relative name" : undefined;
  const seen: CopySource = {
    format: image.format,
    capacityBytes,
    options,
    isDevice: facts.type === "block",
    backing: backing?.path,
    isBound: dataFile === undefined ? relative : "by its data file",
    ...(found.format === "luks" || found.encryption !== undefined
      ? { encryption: { isKept: isOfSource, headerBytes: headerOf(facts, found, volume) } }
      : {}),
  };
  return { seen, found: found.format };
}

/**
 * Returns the length of the header that a larger copy has besides its capacity; undefined if svirt cannot
 * read it.
 */
function headerOf(
  facts: FileFacts,
  { capacityBytes, format }: VolumeImage,
  { capacityBytes: requested = 0 }: Volume,
): number | undefined {
  if (format !== "luks") return 0;
  if (capacityBytes === undefined) return undefined;
  return requested > capacityBytes ? dataOffsetOf(facts, capacityBytes) : 0;
}
