import type { FileFacts } from "../../../host/files.ts";
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
 * Removes an image that is still empty, and a partial one that a killed svirt may have left. Another file at its path
 * stays; a missing one is not an error. Throws "denied" if another file replaces it during the call.
 */
export function removeImage(host: Host, step: NewImage): void {
  const image = findBegun(host, step, step.path);
  if (image?.sizeBytes === sizeOf(step)) host.removeSame(image.id);
  const half = findBegun(host, step, partialPath(step.path));
  if (half !== undefined) host.removeSame(half.id);
}

/** Returns the file if it is a complete or partial copy of the empty image. */
function findBegun(host: Host, step: NewImage, path: string): FileFacts | undefined {
  const found = host.inspectFile(path);
  if (found?.type !== "file" || found.id.path !== path || found.sizeBytes > sizeOf(step)) return undefined;
  const bytes = formatNewImage(step.image);
  const length = Math.min(found.sizeBytes, Math.max(bytes.length, RAW_BYTES));
  const is = host.readBytes(found.id, 0, length);
  const isSame = is.length === length && is.every((byte, at) => byte === (bytes[at] ?? 0));
  return isSame ? found : undefined;
}

/** Returns the size of the image's file. A raw image is as long as the guest's disk. */
function sizeOf({ image }: NewImage): number {
  return image.format === "raw" ? image.sizeBytes : formatNewImage(image).length;
}
