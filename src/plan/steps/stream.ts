import * as v from "valibot";
import { fileId } from "../facts/file.ts";
import { aNumber, aString, maybeString } from "../facts/plain-schemas.ts";

/** Where QEMU's stream goes: a file that svirt makes, through a pipe with the guest's label; the file never has it. */
const streamed = {
  monitor: aString,
  /** There is nothing there yet. */
  to: aString,
  /** The pipe's. */
  label: maybeString,
  /** What the file is given, where another than its folder gives it is wanted. */
  fileLabel: maybeString,
};

/** Nothing is left there of an earlier try: a file of that name is svirt's own. */
const expectFileStep = v.strictObject({ do: v.literal("expect-file"), path: aString });

const removeFileStep = v.strictObject({ do: v.literal("remove-file"), path: aString });

/** A file takes the place of whatever is at the other path. Not there any more: it has. */
const keepFileStep = v.strictObject({ do: v.literal("keep-file"), from: aString, to: aString });

/** The vCPUs stand still; they go on when that is taken back, if they ran. */
const pauseStep = v.strictObject({ do: v.literal("pause"), monitor: aString, wasRunning: v.boolean() });

/** They go on. */
const unpauseStep = v.strictObject({ do: v.literal("unpause"), monitor: aString });

/** As by its button. */
const resetStep = v.strictObject({ do: v.literal("reset"), monitor: aString });

/** The guest's memory and devices, after the head of a save image if there is one. */
const saveMemoryStep = v.strictObject({
  do: v.literal("save-memory"),
  ...streamed,
  head: v.exactOptional(v.strictObject({ xml: aString, wasRunning: v.boolean() })),
});

/** QEMU writes no more. */
const cancelSaveStep = v.strictObject({ do: v.literal("cancel-save"), monitor: aString });

/** The guest's memory alone, for who looks for a fault in it. `format` is QEMU's: elf, kdump-zlib. */
const dumpMemoryStep = v.strictObject({ do: v.literal("dump-memory"), ...streamed, format: aString });

/** QEMU draws into the buffer, a file of its own label that svirt opens for it; what is in it goes to the other file. */
const screenshotStep = v.strictObject({
  do: v.literal("take-screenshot"),
  ...streamed,
  buffer: aString,
  /** The number under which QEMU is given it. */
  set: aNumber,
  /** QEMU's arguments of screendump besides the file. */
  format: maybeString,
  device: maybeString,
  head: v.exactOptional(aNumber),
});

/** It lets go of the buffer. */
const dropScreenStep = v.strictObject({ do: v.literal("drop-screen"), monitor: aString, set: aNumber });

/** What save-memory has left, from that place in the file on: the file itself is not handed over. */
const loadMemoryStep = v.strictObject({
  do: v.literal("load-memory"),
  monitor: aString,
  from: fileId,
  at: aNumber,
  label: maybeString,
});

/** What is done with a guest's state: its memory, its devices, its screen. Nothing of the guest's own changes. */
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
