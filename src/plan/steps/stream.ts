import * as v from "valibot";
import { fileId } from "../facts/file.ts";
import { aNumber, aString, maybeString } from "../facts/plain-schemas.ts";

/**
 * Target of QEMU's stream: a file that svirt creates, behind a pipe. The pipe has the guest's label, the file never has it.
 */
const streamed = {
  monitor: aString,
  /** Path at which no file exists yet. */
  to: aString,
  /** Label of the pipe. */
  label: maybeString,
  /** Label of the file; absent: its folder's default. */
  fileLabel: maybeString,
};

/** Removes a file that an earlier attempt left: a file of that name is svirt's own. */
const expectFileStep = v.strictObject({ do: v.literal("expect-file"), path: aString });

const removeFileStep = v.strictObject({ do: v.literal("remove-file"), path: aString });

/** Moves a file over the other path. A missing file has already been moved. */
const keepFileStep = v.strictObject({ do: v.literal("keep-file"), from: aString, to: aString });

/** Stops the vCPUs. The inverse lets them run if they ran before. */
const pauseStep = v.strictObject({ do: v.literal("pause"), monitor: aString, wasRunning: v.boolean() });

/** Lets the vCPUs run. */
const unpauseStep = v.strictObject({ do: v.literal("unpause"), monitor: aString });

/** Resets the guest, as its reset button does. */
const resetStep = v.strictObject({ do: v.literal("reset"), monitor: aString });

/** Writes the guest's memory and devices, after the head of a save image if there is one. */
const saveMemoryStep = v.strictObject({
  do: v.literal("save-memory"),
  ...streamed,
  head: v.exactOptional(v.strictObject({ xml: aString, wasRunning: v.boolean() })),
});

/** Cancels QEMU's writing of the state. */
const cancelSaveStep = v.strictObject({ do: v.literal("cancel-save"), monitor: aString });

/** Writes the guest's memory alone, for debugging. `format` is QEMU's: elf, kdump-zlib. */
const dumpMemoryStep = v.strictObject({ do: v.literal("dump-memory"), ...streamed, format: aString });

/** Has QEMU draw into the buffer, a file with the guest's label that svirt opens. Its content is copied to the target. */
const screenshotStep = v.strictObject({
  do: v.literal("take-screenshot"),
  ...streamed,
  buffer: aString,
  /** Number of the buffer's descriptor set in QEMU. */
  set: aNumber,
  /** Arguments of QEMU's `screendump`, besides the file. */
  format: maybeString,
  device: maybeString,
  head: v.exactOptional(aNumber),
});

/** Has QEMU close the buffer. */
const dropScreenStep = v.strictObject({ do: v.literal("drop-screen"), monitor: aString, set: aNumber });

/** Loads the state that save-memory wrote, from that offset of the file. QEMU gets a pipe, not the file. */
const loadMemoryStep = v.strictObject({
  do: v.literal("load-memory"),
  monitor: aString,
  from: fileId,
  at: aNumber,
  label: maybeString,
});

/** Step on a guest's state: its memory, its devices, its screen. The guest's resources do not change. */
export const streamStep = v.variant("do", [
  expectFileStep,
  removeFileStep,
  keepFileStep,
  pauseStep,
  unpauseStep,
  resetStep,
  saveMemoryStep,
  cancelSaveStep,
  dumpMemoryStep,
  screenshotStep,
  dropScreenStep,
  loadMemoryStep,
]);
export type StreamStep = v.InferOutput<typeof streamStep>;
