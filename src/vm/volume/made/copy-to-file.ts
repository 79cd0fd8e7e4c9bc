import type { FileFacts } from "../../../host/files.ts";
import { type GivenFormat, isGivenFormat } from "../../../plan/facts/given-format.ts";
import { folderOf } from "../../../plan/folder-of.ts";
import type { StepOf } from "../../../plan/steps/step.ts";
import type { Progress, VolumeContent } from "../../../run/actor.ts";
import type { Instance } from "../../../state/instance.ts";
import {
  type CopiedVolume,
  type CopyFlags,
  type CopySource,
  decideCopiedVolume,
} from "../../../storage/volume/copied-volume.ts";
import type { Volume } from "../../../storage/volume/document.ts";
import { dataOffsetOf } from "../luks-data.ts";
import { withUnusedVolume } from "../unused-volume.ts";
import { readDeclaredImage, type VolumeImage } from "../volume-image.ts";
import type { SourceImage } from "./conversion.ts";
import { type VolumePlace, volumeStep } from "./volume-file.ts";

/** Copy of a volume to make. */
export interface FileCopy {
  readonly volume: Volume;
  /** Volume to copy. */
  readonly source: {
    readonly key: string;
    readonly pool: string | undefined;
    /** Format of its image; undefined: its first bytes decide. */
    readonly format?: "raw" | "qcow2" | undefined;
  };
  readonly flags: CopyFlags;
  /**
   * Whether the document describes the source under another name: the copy then keeps the encryption of the
   * source.
   */
  readonly isOfSource: boolean;
  /** Called while an image is converted. */
  readonly onProgress?: Progress;
}

/** Step of a copy, with the data of the new file, and the name of the copied volume. */
interface DecidedCopy {
  readonly step: StepOf<"make-volume">;
  readonly content: VolumeContent;
  readonly source: string;
}

/**
 * Decides the step that makes a volume's file with the data of another volume. Throws "unsupported"; "in-use"
 * if a guest uses the source or the volume exists; "denied".
 */
export async function decideFileCopy(
  instance: Instance,
  place: VolumePlace,
  copy: FileCopy,
): Promise<DecidedCopy> {
  const { flags, isOfSource, source, volume } = copy;
  // Checked under the lock, and copied without it, since that may take long. A start labels the source, which
  // the copy notices.
  const { decided, name, written, ...sources } = await withUnusedVolume(
    instance,
    { ...source, attempt: "copy" },
    ({ facts, name: found, sizeBytes }) => {
      const { found: sourceFormat, seen } = copySource(
        instance,
        { facts, sizeBytes, source, isOfSource, volume },
        place.folder,
      );
      const made = decideCopiedVolume(volume, seen, flags);
      const chosen = { facts, format: seen.format === "qcow2" ? seen.format : "raw" } as const;
      const rules = { isAbove: seen.backing !== undefined, isDeclared: source.format !== undefined };
      const images = made.isConverted ? conversions().listConverted(instance, { ...chosen, ...rules }) : [];
      const written = made.isConverted ? made.format : givenOrNone(sourceFormat);
      return { decided: made, images, from: facts, name: found, written };
    },
  );
  const step = { ...volumeStep(instance, place, { decided, written }), source: sources.from.id.path };
  return { step, content: dataOf(copy, decided, sources), source: name };
}

/**
 * Returns the format to record for a copy; undefined for one that no guest could write, as of an ISO image.
 */
function givenOrNone(format: string): GivenFormat | undefined {
  return isGivenFormat(format) ? format : undefined;
}

/** Returns the data of a new file: an image that is converted, or the bytes of its source. */
function dataOf(
  { flags, onProgress }: FileCopy,
  { capacityBytes, format, isConverted, options }: CopiedVolume,
  { from, images }: { readonly from: FileFacts; readonly images: readonly SourceImage[] },
): VolumeContent {
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
function conversions(): typeof import("./conversion.ts") {
  return require("./conversion.ts");
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
  }: Pick<FileCopy, "isOfSource" | "source" | "volume"> & {
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
