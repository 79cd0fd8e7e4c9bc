import type { FileId } from "../../../plan/facts/file.ts";
import type { DeviceData, DevicePart } from "../../new-file.ts";
import { letOthersRun } from "../calls/let-others-run.ts";
import { convertInto } from "./convert-into.ts";
import { copyOnto } from "./copy-into.ts";
import { type Extent, openedSize } from "./extents.ts";
import { withLockedDisk, withLockedImage } from "./locked-image.ts";
import { writeZeros, zeroPart } from "./resize-file.ts";
import { writePart } from "./write-part.ts";

/** Most bytes zeroed by a call: no signal ends it. */
const STEP_BYTES = 16 * 1024 * 1024;
/** Length from which the kernel makes zeros: for fewer it would take longer than to write them. */
const LEAST_BYTES = 1024 * 1024;
/** Boundary of zeros made by the kernel: it drops its copies of these blocks before they are written. */
const PAGE_BYTES = 4096;

/**
 * Implements Host.copyToDevice. The device has data that others left there, so the gaps between the parts of
 * the data become zeros, and each place is written once.
 */
export async function copyToDevice(device: FileId, data: DeviceData, part?: DevicePart): Promise<void> {
  if (part === undefined)
    await withLockedImage(
      device,
      async (fd) => await fillPart(fd, device.path, { data, start: 0, end: openedSize(fd) }),
    );
  else await withLockedDisk(device, async (fd) => await fillPart(fd, device.path, { data, ...part }));
}

async function fillPart(
  fd: number,
  path: string,
  { data, end, start }: DevicePart & { readonly data: DeviceData },
): Promise<void> {
  // First byte neither known to be zero nor data.
  let reached = start;
  const clearTo = async (place: number): Promise<void> => {
    if (place > reached) await clearGap(fd, path, { start: reached, end: place });
    reached = Math.max(reached, place);
  };
  if ("conversion" in data) {
    await convertInto(async ({ bytes, offset }) => {
      await clearTo(start + offset);
      writePart(fd, { bytes, offset: start + offset });
      reached = start + offset + bytes.length;
    }, data.conversion);
  } else {
    const onData = async (extent: Extent): Promise<void> => {
      await clearTo(extent.start);
      reached = extent.end;
    };
    await copyOnto(fd, data.from, { path, start, end, onData, onProgress: data.onProgress });
  }
  await clearTo(end);
}

async function clearGap(fd: number, path: string, { end, start }: Extent): Promise<void> {
  if (end - start < LEAST_BYTES) {
    await writeZeros(fd, { start, end });
    return;
  }
  const first = Math.ceil(start / PAGE_BYTES) * PAGE_BYTES;
  const last = Math.floor(end / PAGE_BYTES) * PAGE_BYTES;
  await writeZeros(fd, { start, end: first });
  for (let at = first; at < last; at += STEP_BYTES) {
    await zeroPart(fd, path, { start: at, end: Math.min(last, at + STEP_BYTES) });
    await letOthersRun();
  }
  await writeZeros(fd, { start: last, end });
}
