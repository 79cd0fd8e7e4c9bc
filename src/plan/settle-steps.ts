import { nameOf } from "../qemu/plug-commands.ts";
import type { ChangeSteps } from "./hotplug-plan.ts";
import { fileKey } from "./start-plan.ts";
import type { Step } from "./step.ts";

/**
 * The steps that a guest's record keeps once a change is done: what was given back is no longer there to be undone, and
 * what came and went again leaves nothing behind, so that a record does not grow.
 */
export function settleSteps(before: readonly Step[], { after, steps }: ChangeSteps): Step[] {
  let kept: readonly Step[] = [...before, ...steps];
  for (const step of after) kept = withDone(kept, step);
  return kept.filter((step, at) => !isOutdated(step, kept.slice(at + 1)));
}

function withDone(kept: readonly Step[], done: Step): readonly Step[] {
  switch (done.do) {
    case "release":
      return kept.filter(
        (step) =>
          !(
            step.do === "reserve" &&
            step.claim.kind === done.claim.kind &&
            step.claim.key === done.claim.key
          ),
      );
    case "restore-label":
      return kept.filter((step) => !(step.do === "set-label" && fileKey(step.file) === fileKey(done.file)));
    case "remove-tap":
      return kept.filter((step) => !isOfTap(step, done.name));
    case "remove-udev-rule":
      return kept.filter((step) => !(step.do === "write-udev-rule" && step.path === done.path));
    case "unplug": {
      const pair = kept.findLastIndex((step) => step.do === "plug" && isPair(step, done));
      return pair === -1 ? [...kept, done] : kept.toSpliced(pair, 1);
    }
    default:
      return [...kept, done];
  }
}

function isOfTap(step: Step, name: string): boolean {
  if (step.do === "set-up-tap") return step.setup.name === name;
  return step.do === "hand-tap" && step.tap.name === name;
}

/** Whether one takes away all that the other has made. */
function isPair(made: Extract<Step, { do: "plug" }>, gone: Extract<Step, { do: "unplug" }>): boolean {
  const makers = made.commands.filter(({ execute }) => execute !== "set_link");
  const madeNames = [...makers.map(nameOf), ...made.files.map(({ fd }) => `set ${fd}`)];
  const goneNames = [
    ...(gone.device === undefined ? [] : [gone.device]),
    ...gone.commands.map(nameOf),
    ...gone.sets.map((set) => `set ${set}`),
  ];
  return madeNames.toSorted().join(" ") === goneNames.toSorted().join(" ");
}

/** Of the media of one drive, and of the states of one cable, the last counts. */
function isOutdated(step: Step, later: readonly Step[]): boolean {
  if (step.do !== "set-medium" && step.do !== "set-link") return false;
  return later.some(
    (other) => (other.do === step.do || other.do === "unplug") && other.device === step.device,
  );
}
