import { SvirtError } from "../../errors.ts";
import type { ImageWrite } from "../image-writes.ts";
import type { Qcow2Options } from "../qcow2-features.ts";
import { type SourceFile, stackLayers } from "./guest-data.ts";
import { readQcow2Layer } from "./qcow2-layer.ts";
import { readRawLayer } from "./raw-layer.ts";
import { listQcow2Writes } from "./write-qcow2.ts";
import { listRawWrites } from "./write-raw.ts";

/** Image to make from another, and from the images below it. */
export interface ConvertedImage {
  /** Formats of the files, the image first. */
  readonly formats: readonly ("raw" | "qcow2")[];
  readonly format: "raw" | "qcow2";
  /** Size visible to the guest, at least the image's size. */
  readonly sizeBytes: number;
  /** Options of a qcow2 image. */
  readonly options: Qcow2Options;
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Yields the writes for an image without a backing file. Zeros take no space. Throws "failed" for a broken
 * source, "unsupported" for a source without conversion in svirt, and for a size or options impossible in the
 * new format; "in-use" for a disk larger than the new image.
 */
export function convertImage(files: readonly SourceFile[], image: ConvertedImage): Iterable<ImageWrite> {
  const { format, formats, onProgress } = image;
  const layers = files.map((file, at) =>
    formats[at] === "qcow2" ? readQcow2Layer(file) : readRawLayer(file),
  );
  const disk = stackLayers(layers);
  // The size was read before the files were locked.
  if (disk.sizeBytes > image.sizeBytes) throw changed();
  return format === "raw" ? listRawWrites(disk, onProgress) : listQcow2Writes(disk, image);
}

function changed(): SvirtError {
  return new SvirtError("Cannot copy the image: it changed meanwhile", {
    kind: "in-use",
    remedy: "Stop the program that writes to it, then repeat the command.",
  });
}
