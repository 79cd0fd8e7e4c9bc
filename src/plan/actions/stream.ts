import type { ChangeSteps } from "../steps/change.ts";
import type { Step } from "../steps/step.ts";

/** A file that a guest's state is written to: under another name, until all of it is there. */
export interface TargetFile {
  readonly part: string;
  readonly path: string;
  /** The label of what is replaced; undefined: what the policy gives a new file there. */
  readonly label: string | undefined;
}

/** The guest whose state is written. */
export interface StreamedGuest {
  readonly monitor: string;
  readonly isRunning: boolean;
  readonly imageLabel: string | undefined;
}

/** Stopped, written, and then put in its place: the guest ends with that. */
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

/** How a dump is made, and what comes of the guest then. */
export interface DumpWish {
  /** QEMU's format of memory alone; undefined: all of the guest, in QEMU's own. */
  readonly format: string | undefined;
  /** The vCPUs are not stopped by svirt; QEMU itself stops them while it writes memory alone. */
  readonly live: boolean;
  readonly afterwards: "go-on" | "reset" | "end";
}

/** The guest's memory, and then it goes on, is reset or ends. */
export function planDump(target: TargetFile, guest: StreamedGuest, wish: DumpWish): ChangeSteps {
  const stream = streamOf(target, guest);
  const write: Step =
    wish.format === undefined
      ? { do: "save-memory", ...stream }
      : { do: "dump-memory", ...stream, format: wish.format };
  const stop = wish.live ? [] : [pause(guest)];
  return { steps: [expect(target), ...stop, write], after: [...planAfter(guest, wish), keep(target)] };
}

/** A set that no device has: those are numbered from 3 on. */
const SCREEN_SET = 1_000_000;

/** The guest's screen: nobody else's business is touched. */
export function planScreenshot(
  target: TargetFile,
  guest: StreamedGuest,
  wish: Pick<Extract<Step, { do: "take-screenshot" }>, "buffer" | "format" | "device" | "head">,
): ChangeSteps {
  const draw: Step = { do: "take-screenshot", ...streamOf(target, guest), ...wish, set: SCREEN_SET };
  const buffer: Step = { do: "expect-file", path: wish.buffer };
  return { steps: [expect(target), buffer, draw], after: [keep(target)] };
}

function planAfter({ isRunning, monitor }: StreamedGuest, { afterwards }: DumpWish): Step[] {
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

function keep({ part, path }: TargetFile): Step {
  return { do: "keep-file", from: part, to: path };
}

function streamOf({ label, part }: TargetFile, { imageLabel, monitor }: StreamedGuest) {
  return {
    monitor,
    to: part,
    ...(imageLabel === undefined ? {} : { label: imageLabel }),
    ...(label === undefined ? {} : { fileLabel: label }),
  };
}
