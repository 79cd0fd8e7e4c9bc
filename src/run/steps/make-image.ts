import type { Host } from "../../host/host.ts";
import { formatNewImage } from "../../images/new-qcow2.ts";
import { halfMade } from "../../plan/half-made.ts";
import type { Step } from "../../plan/steps/step.ts";

/** How much of a raw image is looked at. */
const RAW_BYTES = 64 * 1024;

type NewImage = Extract<Step, { do: "make-image" | "remove-image" }>;

/** Makes an empty image, whole or not at all. Throws "host-call" when something is there. */
export function makeImage(host: Host, step: NewImage): void {
  const { image, path } = step;
  host.makeFile(path, 0o600, { bytes: formatNewImage(image), sizeBytes: sizeOf(step) });
}

/**
 * Removes an image that nobody has written into, and what a svirt that was killed may have left of it. Anything else at
 * its path, and nothing, is fine.
 */
export function removeImage(host: Host, step: NewImage): void {
  if (isUntouched(host, step, step.path)) host.removeFile(step.path);
  const half = halfMade(step.path);
  if (isBegun(host, step, half)) host.removeFile(half);
}

/** Whether the image is there, whole and as it was made. */
function isUntouched(host: Host, step: NewImage, path: string): boolean {
  const size = host.inspectFile(path)?.sizeBytes;
  return size === sizeOf(step) && isBegun(host, step, path);
}

/** Whether what is there is what the image begins with. */
function isBegun(host: Host, step: NewImage, path: string): boolean {
  const found = host.inspectFile(path);
  if (found?.type !== "file" || found.id.path !== path || found.sizeBytes > sizeOf(step)) return false;
  const bytes = formatNewImage(step.image);
  const length = Math.min(found.sizeBytes, Math.max(bytes.length, RAW_BYTES));
  const is = host.readBytes(found.id, 0, length);
  return is.length === length && is.every((byte, at) => byte === (bytes[at] ?? 0));
}

/** A raw image is as long as the guest's view of it. */
function sizeOf({ image }: NewImage): number {
  return image.format === "raw" ? image.sizeBytes : formatNewImage(image).length;
}
