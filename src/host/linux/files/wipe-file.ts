import { fstatSync } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { WipeMethod } from "../../files.ts";
import { listData } from "./extents.ts";
import { withLockedImage } from "./locked-image.ts";
import { punchPart, zeroPart } from "./resize-file.ts";

/** Implements Host.wipeFile. Holes are zeros already: only the parts with data are changed. */
export function wipeFile(file: FileId, how: WipeMethod): void {
  withLockedImage(file, (fd) => {
    const { size } = fstatSync(fd);
    if (how === "zero") for (const part of [...listData(fd, size)]) zeroPart(fd, file.path, part);
    else if (!punchPart(fd, file.path, { start: 0, end: size })) throw notTrimmed(file.path);
  });
}

function notTrimmed(path: string): SvirtError {
  return new SvirtError(`Cannot wipe ${path}: its file system cannot free a part of a file`, {
    kind: "unsupported",
    remedy: "Leave --algorithm trim out: zeros are written then.",
  });
}
