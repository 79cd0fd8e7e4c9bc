import type { FileId } from "../../../plan/facts/file.ts";
import { copyInto } from "./copy-into.ts";
import { openedSize } from "./extents.ts";
import { withLockedImage } from "./locked-image.ts";
import { zeroPart } from "./resize-file.ts";

/** Most bytes that are made zeros in one call: no signal ends it. */
const STEP_BYTES = 256 * 1024 * 1024;

/** Implements Host.copyToDevice. The device has what others left there, so holes of the source are zeros that are written. */
export function copyToDevice(device: FileId, from: FileId): void {
  withLockedImage(device, (fd) => {
    const sizeBytes = openedSize(fd);
    for (let start = 0; start < sizeBytes; start += STEP_BYTES)
      zeroPart(fd, device.path, { start, end: Math.min(sizeBytes, start + STEP_BYTES) });
    const part = { offset: 0, mostBytes: undefined, isSparse: true };
    copyInto(fd, device.path, { from, isShared: false, part });
  });
}
