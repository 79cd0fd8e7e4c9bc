import { SvirtError } from "../../../errors.ts";
import type { FileFacts } from "../../../host/files.ts";
import type { ImageConversion } from "../../../host/new-file.ts";
import { walkChain } from "../../../images/chain.ts";
import { type ConvertedImage, convertImage } from "../../../images/conversion/convert-image.ts";
import { fileKey } from "../../../plan/facts/file-key.ts";
import { folderOf } from "../../../plan/folder-of.ts";
import { imageReader } from "../../../resolve/inspect-file.ts";
import type { Instance } from "../../../state/instance.ts";
import { listDevicePools, listVolumePools } from "../volume-pool.ts";

/** Image to convert, by its volume. */
interface ConvertedSource {
  readonly facts: FileFacts;
  readonly format: "raw" | "qcow2";
  /** Whether its header names a backing file. */
  readonly isAbove: boolean;
  /**
   * Whether the caller says that it has this format. Otherwise its first bytes do, which a guest may have
   * written.
   */
  readonly isDeclared: boolean;
}

/** File of the image, or of one below it. */
export interface SourceImage {
  readonly facts: FileFacts;
  readonly format: "raw" | "qcow2";
}

/**
 * Lists the files whose data a converted image has, the volume's first. Throws "denied" for a file below it
 * that is no volume of an active pool, and for any file below it if the volume's format is not declared;
 * "unsupported" for an image of another format.
 */
export function listConverted(
  instance: Instance,
  { facts, format, isAbove, isDeclared }: ConvertedSource,
): readonly SourceImage[] {
  if (format === "raw") return [{ facts, format }];
  const { path } = facts.id;
  // Before a look at any file that it names.
  if (isAbove && !isDeclared) throw undeclared(path);
  const below = isDeclared ? "as-probed" : "nothing";
  const chain = walkChain({ path, format, readOnly: true, below }, imageReader(instance));
  return chain.map((image, at) => {
    if (image.role === "data-file" || image.slice !== undefined || image.format === "qed")
      throw notConverted(image.path);
    if (at > 0) refuseElsewhere(instance, { path, below: image.facts });
    return { facts: image.facts, format: image.format };
  });
}

/** Returns the conversion of these files. */
export function conversionOf(
  images: readonly SourceImage[],
  made: Omit<ConvertedImage, "formats">,
): ImageConversion {
  const formats = images.map(({ format }) => format);
  return {
    from: images.map(({ facts }) => facts.id),
    convert: (files) => convertImage(files, { ...made, formats }),
  };
}

/**
 * Throws "denied" for a file that the image may name, but that is no volume: it could be any of the host's.
 */
function refuseElsewhere(
  instance: Instance,
  { below, path }: { readonly path: string; readonly below: FileFacts },
): void {
  const { id } = below;
  const isVolume =
    id.node === undefined
      ? listVolumePools(instance).some(({ folder }) => folder.id.path === folderOf(id.path))
      : listDevicePools(instance).some(({ devices }) =>
          devices.some(({ facts }) => fileKey(facts.id) === fileKey(id)),
        );
  if (isVolume) return;
  throw new SvirtError(`Cannot copy ${path}: ${id.path} below it is no volume of an active pool`, {
    kind: "denied",
    remedy: "Start a pool that has that file.",
  });
}

function undeclared(path: string): SvirtError {
  return new SvirtError(
    `Cannot copy ${path}: its header names a backing file, and a guest may have written it`,
    {
      kind: "denied",
      remedy: "If no guest ever had the volume as a raw disk, repeat the command with --inputformat qcow2.",
    },
  );
}

/** Returns the refusal of an image of another format, or with its data in another file. */
export function notConverted(path: string): SvirtError {
  return new SvirtError(`Cannot convert ${path}: svirt converts whole raw and qcow2 images only`, {
    kind: "unsupported",
    remedy: "While no guest uses it: qemu-img convert -O qcow2 IMAGE COPY.",
  });
}
