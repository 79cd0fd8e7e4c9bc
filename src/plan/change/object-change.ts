import { formatSteps } from "../steps/describe.ts";
import { planUndo } from "../steps/inverse.ts";
import type { Step } from "../steps/step.ts";
import type { ShownStep } from "../steps/stored.ts";
import type { ChangedObject } from "./object-kinds.ts";
import type { PlanPause } from "./staged-plan.ts";

/**
 * Point of a change from which an interruption is finished. Before it, the interrupted change is undone.
 *
 * - a number: the step of that index, counted from 0. It is one system call on a file, whose content shows
 *   whether it has run.
 * - `begin`: the record itself. No step is undone.
 * - `end`: the removal of the record. All steps are undone.
 * - `repeat`: none, and no record. Its steps wait for programs or servers, and no other command may wait for
 *   them: after an interruption the same command goes on, or the opposite one undoes it.
 */
export type CommitPoint = "begin" | "end" | "repeat" | number;

/** A change of an object: all steps, in their order, and the point from which recovery goes forward. */
export interface ObjectChange {
  readonly object: ChangedObject;
  /** Command for the operator, such as `net-start lan`. */
  readonly what: string;
  readonly steps: readonly Step[];
  readonly commit: CommitPoint;
}

/** Change that has a record until it is done. */
export type RecordedChange = ObjectChange & { readonly commit: Exclude<CommitPoint, "repeat"> };

/** Steps that finish or undo an interrupted change. */
export interface Settlement {
  readonly direction: "finish" | "undo";
  readonly steps: readonly Step[];
}

/** Decides how an interrupted change is settled. Each of its steps may have run or not, and may run again. */
export function planSettlement(
  { commit, steps }: Pick<RecordedChange, "commit" | "steps">,
  hasEffect: (step: ShownStep) => boolean,
): Settlement {
  if (commit === "begin") return { direction: "finish", steps };
  if (commit === "end") return { direction: "undo", steps: planUndo(steps) };
  const decisive = steps[commit];
  if (decisive !== undefined && isShown(decisive) && hasEffect(decisive))
    return { direction: "finish", steps: steps.slice(commit) };
  // The decisive step itself may have left a part of its text.
  return { direction: "undo", steps: planUndo(steps.slice(0, commit + 1)) };
}

/**
 * Reports whether an interrupted change can be settled, so that it needs a record: it is no single call, and
 * has steps to undo or to finish.
 */
export function needsRecord<Change extends Pick<ObjectChange, "commit" | "steps">>(
  change: Change,
): change is Change & Pick<RecordedChange, "commit"> {
  if (change.commit === "repeat" || isSingleCall(change)) return false;
  return change.commit !== "end" || planUndo(change.steps).length > 0;
}

/**
 * Reports whether a change is one system call on a file or a device, after steps that are never undone: an
 * interruption leaves it done or not begun, and it needs no record.
 */
function isSingleCall({ commit, steps }: Pick<ObjectChange, "commit" | "steps">): boolean {
  const last = steps.at(-1);
  if (last === undefined) return false;
  const before = steps.slice(0, -1);
  if (before.length > 0 && (commit !== before.length || planUndo(before).length > 0)) return false;
  return isShown(last) || last.do === "set-secret" || last.do === "reset-device" || last.do === "remove-file";
}

/**
 * Returns all steps, numbered, one per line, with a line for each pause, and a line that says what becomes of
 * an interruption. `commit` is undefined for steps of a guest, whose record has them.
 */
export function formatChange({
  commit,
  pauses = [],
  steps,
}: Pick<ObjectChange, "steps"> & {
  readonly commit?: CommitPoint | undefined;
  readonly pauses?: readonly PlanPause[];
}): string {
  const lines = formatSteps(steps).split("\n").slice(0, -1);
  return [...lines, ""]
    .flatMap((line, at) => [
      ...turnsAt(at, { commit, steps }),
      ...pauses.filter(({ before }) => before === at).map(({ text }) => `     -- ${text} --`),
      line,
    ])
    .join("\n");
}

/** Returns the line that says what becomes of an interruption, if it is before the step of this index. */
function turnsAt(
  at: number,
  { commit, steps }: Pick<ObjectChange, "steps"> & { readonly commit: CommitPoint | undefined },
): readonly string[] {
  if (commit === undefined || indexAfter(commit, steps) !== at) return [];
  const isTold = commit === "repeat" || needsRecord({ commit, steps });
  return isTold ? [`     -- ${describeTurn({ commit, steps })} --`] : [];
}

function describeTurn({ commit, steps }: Pick<ObjectChange, "commit" | "steps">): string {
  if (commit === "begin") return "an interruption is finished";
  if (commit === "repeat")
    return "after an interruption the same command goes on, or the opposite one undoes it";
  if (commit === "end") return "an interruption is undone";
  if (commit === steps.length - 1) return "an interruption before the last step is undone";
  return `an interruption before step ${commit + 1} is undone, one after it is finished`;
}

/**
 * Returns the index of the first step after the commit point, which is the place of its line; that of a whole
 * change is the end.
 */
function indexAfter(commit: CommitPoint, { length }: readonly Step[]): number {
  return typeof commit === "number" ? commit + 1 : length;
}

function isShown(step: Step): step is ShownStep {
  return step.do === "replace-text" || step.do === "set-mark";
}
