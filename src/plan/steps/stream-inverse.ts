import type { StreamStep } from "./stream.ts";

const NAMES: Readonly<Record<StreamStep["do"], true>> = {
  "expect-file": true,
  "remove-file": true,
  "keep-file": true,
  pause: true,
  unpause: true,
  reset: true,
  "save-memory": true,
  "cancel-save": true,
  "dump-memory": true,
  "take-screenshot": true,
  "drop-screen": true,
  "load-memory": true,
};

/** Reports whether a step is a StreamStep. */
export function isStreamStep<Other extends { readonly do: string }>(
  step: Other | StreamStep,
): step is StreamStep {
  return Object.hasOwn(NAMES, step.do);
}

/** Reports whether a step is a command to a running QEMU. */
export function isToldStream({ do: name }: StreamStep): boolean {
  return name !== "expect-file" && name !== "remove-file" && name !== "keep-file";
}

/** Returns the inverse of a step; undefined if it has none. */
export function inverseStream(done: StreamStep): StreamStep | undefined {
  switch (done.do) {
    case "expect-file":
      return { do: "remove-file", path: done.path };
    case "pause":
      return done.wasRunning ? { do: "unpause", monitor: done.monitor } : undefined;
    case "save-memory":
      return { do: "cancel-save", monitor: done.monitor };
    case "take-screenshot":
      return { do: "drop-screen", monitor: done.monitor, set: done.set };
    case "remove-file":
    case "keep-file":
    case "unpause":
    case "reset":
    case "cancel-save":
    case "dump-memory":
    case "drop-screen":
    case "load-memory":
      return undefined;
  }
}
