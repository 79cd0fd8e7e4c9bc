import type { ChangeSteps } from "../change/change-steps.ts";
import type { SnapshotMemory } from "../facts/block-job.ts";
import type { Step } from "../steps/step.ts";

/** File for a guest's state. It is named `part` until it is complete. */
export interface TargetFile {
  readonly part: string;
  readonly path: string;
  /** Label of the new file; undefined: the policy's default for a new file. */
  readonly label: string | undefined;
  /** Label of the file to replace; undefined: there is none, or it has no label. */
  readonly before: string | undefined;
}

/** Guest with a written state. */
export interface StreamedGuest {
  readonly monitor: string;
  readonly isRunning: boolean;
  /** Label of the pipe that carries the state; undefined: the default of the file system. */
  readonly stateLabel: string | undefined;
}

/** Plans a save: stop the vCPUs, write the state, move the file to its place. The guest then ends. */
export function planSave(
  target: TargetFile,
  guest: StreamedGuest,
  head: Extract<Step, { do: "save-memory" }>["head"],
): ChangeSteps {
  const write: Step = {
    do: "save-memory",
    ...streamOf(target, guest),
    ...(head === undefined ? {} : { head }),
  };
  return { steps: [expect(target), pause(guest), write], after: [keep(target)] };
}

/**
 * Plans the memory of a snapshot: stop the vCPUs, write the state. planMemoryEnd() has the rest, once the
 * disks are switched or not.
 */
export function planMemory(
  target: TargetFile,
  guest: StreamedGuest,
  head: NonNullable<Extract<Step, { do: "save-memory" }>["head"]>,
): { readonly lead: readonly Step[]; readonly steps: readonly Step[] } {
  return {
    lead: [expect(target)],
    steps: [pause(guest), { do: "save-memory", ...streamOf(target, guest), head }],
  };
}

/**
 * Plans the end of a snapshot with memory: the guest runs again if it ran, and the file gets its name or is
 * removed.
 */
export function planMemoryEnd(
  { part, path, wasRunning }: SnapshotMemory,
  { isDone, monitor }: { readonly isDone: boolean; readonly monitor: string },
): { readonly first: readonly Step[]; readonly last: readonly Step[] } {
  return {
    first: wasRunning ? [{ do: "unpause", monitor }] : [],
    last: [isDone ? { do: "keep-file", from: part, to: path } : { do: "remove-file", path: part }],
  };
}

/** Options of a dump, and the state of the guest afterwards. */
export interface DumpOptions {
  /** QEMU's format of a memory-only dump; undefined: the whole guest in QEMU's own format. */
  readonly format: string | undefined;
  /** svirt does not stop the vCPUs. QEMU itself stops them during a memory-only dump. */
  readonly live: boolean;
  readonly afterwards: "go-on" | "reset" | "end";
}

/** Plans a dump of the guest's memory. The guest then continues, is reset or ends. */
export function planDump(target: TargetFile, guest: StreamedGuest, options: DumpOptions): ChangeSteps {
  const stream = streamOf(target, guest);
  const write: Step =
    options.format === undefined
      ? { do: "save-memory", ...stream }
      : { do: "dump-memory", ...stream, format: options.format };
  const stop = options.live ? [] : [pause(guest)];
  return { steps: [expect(target), ...stop, write], after: [...planAfter(guest, options), keep(target)] };
}

/** Descriptor set of no device: sets of devices are numbered from 3. */
const SCREEN_SET = 1_000_000;

/** Plans a screenshot. The guest's devices and files do not change. */
export function planScreenshot(
  target: TargetFile,
  guest: StreamedGuest,
  options: Pick<Extract<Step, { do: "take-screenshot" }>, "buffer" | "format" | "device" | "head">,
): ChangeSteps {
  const draw: Step = { do: "take-screenshot", ...streamOf(target, guest), ...options, set: SCREEN_SET };
  const buffer: Step = { do: "expect-file", path: options.buffer };
  return { steps: [expect(target), buffer, draw], after: [keep(target)] };
}

function planAfter({ isRunning, monitor }: StreamedGuest, { afterwards }: DumpOptions): Step[] {
  const goOn: Step[] = isRunning ? [{ do: "unpause", monitor }] : [];
  if (afterwards === "end") return [];
  if (afterwards === "reset") {
    return [{ do: "reset", monitor }, ...goOn];
  }
  return goOn;
}

function expect({ part }: TargetFile): Step {
  return { do: "expect-file", path: part };
}

function pause({ isRunning, monitor }: StreamedGuest): Step {
  return { do: "pause", monitor, wasRunning: isRunning };
}

function keep({ before, label, part, path }: TargetFile): Step {
  const labels = {
    ...(before === undefined ? {} : { from: before }),
    ...(label === undefined ? {} : { to: label }),
  };
  return { do: "keep-file", from: part, to: path, labels };
}

function streamOf({ label, part }: TargetFile, { monitor, stateLabel }: StreamedGuest) {
  return {
    monitor,
    to: part,
    ...(stateLabel === undefined ? {} : { label: stateLabel }),
    ...(label === undefined ? {} : { fileLabel: label }),
  };
}
