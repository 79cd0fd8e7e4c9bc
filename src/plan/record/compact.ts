import { nameOf } from "../../qemu/monitor/plug-commands.ts";
import { fileKey } from "../facts/file.ts";
import type { ChangeSteps } from "../steps/change.ts";
import { staysMade } from "../steps/inverse.ts";
import { kindOf } from "../steps/kind-of.ts";
import type { Step } from "../steps/step.ts";

/**
 * Returns the steps that a guest's record keeps after a change, so that it does not grow. Released resources need no inverse
 * any more, and a device that was attached and detached leaves no step.
 */
export function settleSteps(before: readonly Step[], { after, steps }: ChangeSteps): Step[] {
  let kept: readonly Step[] = [...before, ...steps.filter(isKept)];
  for (const step of after.filter(isKept)) kept = withDone(kept, step);
  return kept.filter((step, at) => !isOutdated(step, kept.slice(at + 1))).reduce(mergeLabel, []);
}

/** Reports whether the record keeps the step after its change. */
function isKept(step: Step): boolean {
  return kindOf(step).record === "kept";
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
          ) && !(done.claim.kind === "tap" && isOfTap(step, done.claim.key)),
      );
    case "restore-label":
      return kept.filter((step) => !(step.do === "set-label" && fileKey(step.file) === fileKey(done.file)));
    case "restore-owner":
      return kept.filter(
        (step) => !(step.do === "remember-owner" && fileKey(step.file) === fileKey(done.file)),
      );
    case "remove-tap":
      return kept.filter((step) => !isOfTap(step, done.name));
    case "remove-macvtap":
      return kept.filter((step) => !(step.do === "make-macvtap" && step.link.name === done.name));
    case "remove-udev-rule":
      return kept.filter((step) => !(step.do === "write-udev-rule" && step.path === done.path));
    case "remove-image":
      return kept.filter((step) => !(step.do === "make-image" && step.path === done.path));
    case "remove-folder":
      return kept.filter(
        (step) =>
          !(step.do === "make-folder" && step.path === done.path) &&
          !(step.do === "make-link" && step.path.startsWith(`${done.path}/`)),
      );
    case "give-device":
      return kept.filter((step) => !(step.do === "take-device" && step.device === done.device));
    case "set-memlock":
      return kept.filter((step) => step.do !== "set-memlock");
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

/** Commands that create no object. */
const SETTINGS: readonly string[] = ["set_link", "block_set_io_throttle"];

/** Reports whether an unplug removes everything that a plug created. */
function isPair(made: Extract<Step, { do: "plug" }>, gone: Extract<Step, { do: "unplug" }>): boolean {
  const makers = made.commands.filter(({ execute }) => !SETTINGS.includes(execute));
  const madeNames = [
    ...makers.map(nameOf),
    ...made.files.map(({ fd }) => `set ${fd}`),
    ...(made.peers ?? []).map(({ name }) => `peer ${name}`),
  ];
  const goneNames = [
    ...(gone.device === undefined ? [] : [gone.device]),
    ...gone.commands.map(nameOf),
    ...gone.sets.map((set) => `set ${set}`),
    ...(gone.peers ?? []).map((name) => `peer ${name}`),
  ];
  return madeNames.toSorted().join(" ") === goneNames.toSorted().join(" ");
}

/** Merges a change of label into the steps that claimed and labelled the file. */
function mergeLabel(kept: Step[], step: Step): Step[] {
  if (step.do !== "change-label") return [...kept, step];
  const { to } = step;
  return kept.map((one) => {
    if (one.do === "reserve" && one.claim.kind === to.kind && one.claim.key === to.key)
      return { ...one, claim: to };
    if (one.do === "set-label" && one.claim.key === to.key && to.label !== undefined)
      return { ...one, claim: to, to: to.label };
    if (one.do === "write-udev-rule" && fileKey(one.file) === to.key && to.label !== undefined)
      return { ...one, label: to.label };
    return one;
  });
}

/**
 * Reports whether a step is superseded. Only the latest medium, link state and backing chain per device is kept. Access
 * modes, jobs and limits are dropped, because QEMU or the guest's XML already holds them. An image that has become the
 * guest's is not removed.
 */
function isOutdated(step: Step, later: readonly Step[]): boolean {
  if (step.do === "set-limits") return true;
  if (step.do === "tune-threads") return step.before !== undefined;
  if (step.do === "set-access" || step.do === "start-job" || step.do === "cancel-job") return true;
  if (step.do === "make-image") return staysMade(step.path, later);
  if (step.do === "adopt-chain")
    return step.chain.length === 0 || later.some((other) => tellsChain(other, step.device));
  if (step.do !== "set-medium" && step.do !== "set-link") return false;
  return later.some(
    (other) => (other.do === step.do || other.do === "unplug") && other.device === step.device,
  );
}

/** Reports whether a step sets the images of a device. */
function tellsChain(step: Step, device: string): boolean {
  switch (step.do) {
    case "adopt-chain":
      return step.chain.length > 0 && step.device === device;
    case "set-medium":
    case "unplug":
      return step.device === device;
    default:
      return false;
  }
}
