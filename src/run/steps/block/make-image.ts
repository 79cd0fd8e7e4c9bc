import type { Host } from "../../../host/host.ts";
import { formatNewImage } from "../../../images/new-qcow2.ts";
import { partialPath } from "../../../plan/half-made.ts";
import type { StepOf } from "../../../plan/steps/step.ts";

/** Bytes of a raw image that are compared. */
const RAW_BYTES = 64 * 1024;

type NewImage = StepOf<"make-image" | "remove-image">;

/** Creates an empty image, complete or not at all. Throws "host-call" when a file exists at the path. */
export function makeImage(host: Host, step: NewImage): void {
  const { image, path } = step;
  host.makeFile(path, 0o600, { bytes: formatNewImage(image), sizeBytes: sizeOf(step) });
}

/**
 * Removes an image that is still empty, and a partial one that a killed svirt may have left. Another file at its path stays;
 * a missing one is no error.
 */
export function removeImage(host: Host, step: NewImage): void {
  if (isUntouched(host, step, step.path)) host.removeFile(step.path);
  const half = partialPath(step.path);
  if (isBegun(host, step, half)) host.removeFile(half);
}

/** Reports whether the image exists, complete and unchanged. */
function isUntouched(host: Host, step: NewImage, path: string): boolean {
  const size = host.inspectFile(path)?.sizeBytes;
  return size === sizeOf(step) && isBegun(host, step, path);
}

/** Reports whether the file is a complete or partial copy of the empty image. */
function isBegun(host: Host, step: NewImage, path: string): boolean {
  const found = host.inspectFile(path);
  if (found?.type !== "file" || found.id.path !== path || found.sizeBytes > sizeOf(step)) return false;
  const bytes = formatNewImage(step.image);
  const length = Math.min(found.sizeBytes, Math.max(bytes.length, RAW_BYTES));
  const is = host.readBytes(found.id, 0, length);
  return is.length === length && is.every((byte, at) => byte === (bytes[at] ?? 0));
}

/** Returns the size of the image's file. A raw image is as long as the guest's disk. */
function sizeOf({ image }: NewImage): number {
  return image.format === "raw" ? image.sizeBytes : formatNewImage(image).length;
}
