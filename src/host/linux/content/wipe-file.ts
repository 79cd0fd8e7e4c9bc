import { SvirtError } from "../../../errors.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { WipeMethod } from "../../files.ts";
import { type Extent, listData, openedSize } from "./extents.ts";
import { withLockedImage } from "./locked-image.ts";
import { punchPart, zeroPart } from "./resize-file.ts";

const STEP_BYTES = 256 * 1024 * 1024;

/** Implements Host.wipeFile. Holes are zeros already: only the parts with data are changed. */
export function wipeFile(file: FileId, how: WipeMethod): void {
  withLockedImage(file, (fd) => {
    const size = openedSize(fd);
    if (how === "zero")
      for (const part of [...listData(fd, size)].flatMap(stepsOf)) zeroPart(fd, file.path, part);
    else if (!punchPart(fd, file.path, { start: 0, end: size })) throw notTrimmed(file.path);
  });
}

/** Divides a part, since a device may take long for a call that no signal ends. */
function stepsOf({ end, start }: Extent): readonly Extent[] {
  const count = Math.ceil((end - start) / STEP_BYTES);
  return Array.from({ length: count }, (_, step) => ({
    start: start + step * STEP_BYTES,
    end: Math.min(end, start + (step + 1) * STEP_BYTES),
  }));
}

function notTrimmed(path: string): SvirtError {
  return new SvirtError(`Cannot wipe ${path}: its file system or its device cannot free a part of it`, {
    kind: "unsupported",
    remedy: "Leave --algorithm trim out: zeros are written then.",
  });
}
