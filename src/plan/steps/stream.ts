import * as v from "valibot";
import { fileId } from "../facts/file.ts";
import { aNumber, aString, maybeString } from "../facts/plain-schemas.ts";
import { type Kinds, noInverse } from "./kind.ts";

/** Words for the label that the kernel gives to a new file in a folder. */
const DEFAULT_LABEL = "default label";

/**
 * Target of QEMU's stream: a file that svirt creates, behind a pipe. The pipe has the guest's label; the file
 * never does.
 */
const streamed = {
  monitor: aString,
  /** Path without a file yet. */
  to: aString,
  /** Label of the pipe. */
  label: maybeString,
  /** Label of the file; absent: its folder's default. */
  fileLabel: maybeString,
};

/** Removes a file left by an earlier attempt: a file of this name is svirt's own. */
const expectFile = v.strictObject({ do: v.literal("expect-file"), path: aString });

const removeFile = v.strictObject({ do: v.literal("remove-file"), path: aString });

/** Moves a file over the other path. A missing file has already been moved. */
const keepFile = v.strictObject({
  do: v.literal("keep-file"),
  from: aString,
  to: aString,
  /** Labels for `svirt plan`; absent in records of older versions. */
  labels: v.exactOptional(
    v.strictObject({
      /** Label of the replaced file; absent: there is none, or it has no label. */
      from: maybeString,
      /** Label of the moved file; absent: its folder's default. */
      to: maybeString,
    }),
  ),
});

/** Stops the vCPUs. The inverse lets them run if they ran before. */
const pause = v.strictObject({ do: v.literal("pause"), monitor: aString, wasRunning: v.boolean() });

/** Lets the vCPUs run. */
const unpause = v.strictObject({ do: v.literal("unpause"), monitor: aString });

/** Resets the guest, as its reset button does. */
const reset = v.strictObject({ do: v.literal("reset"), monitor: aString });

/** Writes the guest's memory and devices, after the head of a save image if there is one. */
const saveMemory = v.strictObject({
  do: v.literal("save-memory"),
  ...streamed,
  head: v.exactOptional(v.strictObject({ xml: aString, wasRunning: v.boolean() })),
});

/** Cancels QEMU's writing of the state. */
const cancelSave = v.strictObject({ do: v.literal("cancel-save"), monitor: aString });

/** Writes only the guest's memory, for debugging. `format` is QEMU's: elf, kdump-zlib. */
const dumpMemory = v.strictObject({ do: v.literal("dump-memory"), ...streamed, format: aString });

/**
 * Has QEMU draw into the buffer, a file with the guest's label that svirt opens. Its content is copied to the
 * target.
 */
const takeScreenshot = v.strictObject({
  do: v.literal("take-screenshot"),
  ...streamed,
  buffer: aString,
  /** Number of the buffer's descriptor set in QEMU. */
  set: aNumber,
  /** Arguments of QEMU's `screendump`, without the file. */
  format: maybeString,
  device: maybeString,
  head: v.exactOptional(aNumber),
});

/** Has QEMU close the buffer. */
const dropScreen = v.strictObject({ do: v.literal("drop-screen"), monitor: aString, set: aNumber });

/** Loads the state written by save-memory, from this offset of the file. QEMU gets a pipe, not the file. */
const loadMemory = v.strictObject({
  do: v.literal("load-memory"),
  monitor: aString,
  from: fileId,
  at: aNumber,
  label: maybeString,
});

/** Step on a guest's state: its memory, its devices, its screen. The guest's resources do not change. */
export type StreamStep = v.InferOutput<
  | typeof expectFile
  | typeof removeFile
  | typeof keepFile
  | typeof pause
  | typeof unpause
  | typeof reset
  | typeof saveMemory
  | typeof cancelSave
  | typeof dumpMemory
  | typeof takeScreenshot
  | typeof dropScreen
  | typeof loadMemory
>;

/**
 * Definition of each kind of step in this file. No record keeps such a step: a pause does not change the
 * guest, and a written file is the administrator's.
 */
export const streamSteps: Kinds<StreamStep> = {
  "expect-file": {
    schema: expectFile,
    inverse: ({ path }) => ({ do: "remove-file", path }),
    describe: ({ path }) => `reserve ${path} for a new file`,
    where: "host",
    record: "dropped",
    releases: "nothing",
  },
  "remove-file": {
    schema: removeFile,
    inverse: noInverse,
    describe: ({ path }) => `remove ${path}`,
    where: "host",
    record: "dropped",
    releases: "nothing",
  },
  "keep-file": {
    schema: keepFile,
    inverse: noInverse,
    describe: ({ from, labels, to }) => `rename ${from} to ${to}${describeLabels(labels)}`,
    where: "host",
    record: "dropped",
    releases: "nothing",
  },
  pause: {
    schema: pause,
    inverse: ({ monitor, wasRunning }) => (wasRunning ? { do: "unpause", monitor } : undefined),
    describe: ({ wasRunning }) => (wasRunning ? "stop the vCPUs" : "leave the vCPUs stopped"),
    where: "qemu",
    record: "dropped",
    releases: "nothing",
  },
  unpause: {
    schema: unpause,
    inverse: noInverse,
    describe: () => "resume the vCPUs",
    where: "qemu",
    record: "dropped",
    releases: "nothing",
  },
  reset: {
    schema: reset,
    inverse: noInverse,
    describe: () => "reset the guest",
    where: "qemu",
    record: "dropped",
    releases: "nothing",
  },
  "save-memory": {
    schema: saveMemory,
    inverse: ({ monitor }) => ({ do: "cancel-save", monitor }),
    describe: (step) => `write the guest's state to ${describeFile(step)}, through ${describePipe(step)}`,
    where: "qemu",
    record: "dropped",
    releases: "nothing",
  },
  "cancel-save": {
    schema: cancelSave,
    inverse: noInverse,
    describe: () => "cancel the save in QEMU",
    where: "qemu",
    record: "dropped",
    releases: "nothing",
  },
  "dump-memory": {
    schema: dumpMemory,
    inverse: noInverse,
    describe: (step) =>
      `write the guest's memory in the format ${step.format} to ${describeFile(step)}, through ${describePipe(step)}`,
    where: "qemu",
    record: "dropped",
    releases: "nothing",
  },
  "take-screenshot": {
    schema: takeScreenshot,
    inverse: ({ monitor, set }) => ({ do: "drop-screen", monitor, set }),
    describe: ({ buffer, label, to }) =>
      `write the guest's screen to ${to}, from ${buffer} (${label ?? "(no label)"})`,
    where: "qemu",
    record: "dropped",
    releases: "nothing",
  },
  "drop-screen": {
    schema: dropScreen,
    inverse: noInverse,
    describe: () => "close the picture in QEMU",
    where: "qemu",
    record: "dropped",
    releases: "nothing",
  },
  "load-memory": {
    schema: loadMemory,
    inverse: noInverse,
    describe: (step) => `load the state in ${step.from.path} into QEMU, through ${describePipe(step)}`,
    where: "qemu",
    record: "dropped",
    releases: "nothing",
  },
};

function describeLabels(labels: { readonly from?: string; readonly to?: string } | undefined): string {
  return labels === undefined ? "" : `: ${labels.from ?? "(no label)"} -> ${labels.to ?? DEFAULT_LABEL}`;
}

function describeFile({ fileLabel, to }: { readonly fileLabel?: string; readonly to: string }): string {
  return `${to} (${fileLabel ?? DEFAULT_LABEL})`;
}

function describePipe({ label }: { readonly label?: string }): string {
  return label === undefined ? "a pipe" : `a pipe labelled ${label}`;
}
