import { SvirtError } from "../../../errors.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { WipeMethod } from "../../files.ts";
import { letOthersRun } from "../calls/let-others-run.ts";
import { type Extent, listData, openedSize } from "./extents.ts";
import { withLockedImage } from "./locked-image.ts";
import { punchPart, zeroPart } from "./resize-file.ts";

const STEP_BYTES = 16 * 1024 * 1024;

/** Implements Host.wipeFile. Holes are zeros already: only the parts with data are changed. */
export async function wipeFile(file: FileId, how: WipeMethod): Promise<void> {
  await withLockedImage(file, async (fd) => {
    const whole = { start: 0, end: openedSize(fd) };
    const parts = how === "zero" ? [...listData(fd, whole.end)] : [whole];
    for (const part of parts.flatMap(stepsOf)) {
      if (how === "zero") await zeroPart(fd, file.path, part);
      else if (!punchPart(fd, file.path, part)) throw notTrimmed(file.path);
      await letOthersRun();
    }
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
