import * as v from "valibot";
import { fileId, guestOrder } from "./guest-order.ts";

/** Something that only one guest may have, or several that agree. */
const claim = v.strictObject({
  kind: v.picklist(["level", "static", "uid", "file"]),
  key: v.string(),
  sharing: v.picklist(["exclusive", "shared"]),
  /** For a file: the label that its users agree on; absent where it keeps its own. */
  label: v.exactOptional(v.string()),
  /** For a file: the label to put back when its last user is gone. */
  original: v.exactOptional(v.string()),
});
export type Claim = v.InferOutput<typeof claim>;

const monitorCommand = v.strictObject({
  execute: v.string(),
  arguments: v.exactOptional(v.record(v.string(), v.unknown())),
});
export type MonitorCommand = v.InferOutput<typeof monitorCommand>;

/**
 * One act of a start or of a stop, with all that is needed to show it, do it and take it back. The record stores the
 * steps of a start before the first of them is done, so that whoever comes after a crash can undo them: each inverse
 * may be carried out whether or not its step was, and any number of times.
 */
export const step = v.variant("do", [
  v.strictObject({ do: v.literal("reserve"), claim }),
  v.strictObject({ do: v.literal("release"), claim }),
  v.strictObject({
    do: v.literal("make-folder"),
    path: v.string(),
    mode: v.number(),
    uid: v.number(),
    label: v.exactOptional(v.string()),
  }),
  v.strictObject({ do: v.literal("remove-folder"), path: v.string() }),
  v.strictObject({
    do: v.literal("set-label"),
    file: fileId,
    claim,
    from: v.exactOptional(v.string()),
    to: v.string(),
  }),
  v.strictObject({
    do: v.literal("restore-label"),
    file: fileId,
    claim,
    to: v.exactOptional(v.string()),
    from: v.string(),
  }),
  v.strictObject({ do: v.literal("spawn"), order: guestOrder }),
  v.strictObject({ do: v.literal("kill"), graceMs: v.number() }),
  v.strictObject({ do: v.literal("check-context"), context: v.string() }),
  v.strictObject({ do: v.literal("greet"), monitor: v.string(), timeoutMs: v.number() }),
  v.strictObject({ do: v.literal("resume"), monitor: v.string(), commands: v.array(monitorCommand) }),
]);
export type Step = v.InferOutput<typeof step>;

/** How long a guest's QEMU has to end after SIGTERM before it is killed: the reference gives it 10 s + 5 s. */
const KILL_GRACE_MS = 10_000;

/** The step that takes a step back; undefined where there is nothing to take back. */
export function inverse(done: Step): Step | undefined {
  switch (done.do) {
    case "reserve":
      return { do: "release", claim: done.claim };
    case "make-folder":
      return { do: "remove-folder", path: done.path };
    case "set-label":
      return {
        do: "restore-label",
        file: done.file,
        claim: done.claim,
        from: done.to,
        ...(done.from === undefined ? {} : { to: done.from }),
      };
    case "spawn":
      return { do: "kill", graceMs: KILL_GRACE_MS };
    case "check-context":
    case "greet":
    case "resume":
    case "release":
    case "remove-folder":
    case "restore-label":
    case "kill":
      return undefined;
  }
}

/** The steps that undo a start, whoever ends it: its inverses, last first. */
export function planStop(started: readonly Step[]): Step[] {
  return started.toReversed().flatMap((done) => inverse(done) ?? []);
}
