import { nameOf } from "../../qemu/monitor/plug-commands.ts";
import type { ChangeSteps } from "../change/change-steps.ts";
import { fileKey } from "../facts/file-key.ts";
import { staysMade } from "../steps/inverse.ts";
import { kindOf } from "../steps/kind-of.ts";
import type { Step, StepOf } from "../steps/step.ts";

/**
 * Returns the steps kept by a guest's record after a change, so it does not grow. Released resources no
 * longer need an inverse, and a device attached and detached leaves no step.
 */
export function compactSteps(before: readonly Step[], { after, steps }: ChangeSteps): Step[] {
  let kept: readonly Step[] = [...before, ...steps.filter(isKept)];
  for (const step of after.filter(isKept)) kept = addDone(kept, step);
  return kept
    .filter((step, at) => !isOutdated(step, kept.slice(at + 1)))
    .reduce(mergeLabel, [])
    .reduce(mergeRules, [])
    .reduce(mergeFloors, []);
}

/** Reports whether the record keeps the step after its change. */
function isKept(step: Step): boolean {
  return kindOf(step).record === "kept";
}

function addDone(kept: readonly Step[], done: Step): readonly Step[] {
  if (done.do === "unplug") {
    const pair = kept.findLastIndex((step) => step.do === "plug" && isPair(step, done));
    return pair === -1 ? [...kept, done] : kept.toSpliced(pair, 1);
  }
  const ends = ENDED[done.do] as Ends<Step> | undefined;
  return ends === undefined ? [...kept, done] : kept.filter((step) => !ends(step, done));
}

/** Reports whether a done step ends an earlier step. The record then keeps neither. */
type Ends<Done extends Step> = (step: Step, done: Done) => boolean;

const ENDED: { readonly [Name in Step["do"]]?: Ends<StepOf<Name>> } = {
  release: (step, { claim: { key, kind } }) =>
    (step.do === "reserve" && step.claim.kind === kind && step.claim.key === key) ||
    (kind === "tap" && isOfTap(step, key)),
  "restore-label": (step, { file }) => step.do === "set-label" && fileKey(step.file) === fileKey(file),
  "restore-owner": (step, { file }) => step.do === "remember-owner" && fileKey(step.file) === fileKey(file),
  "remove-tap": (step, { name }) => isOfTap(step, name),
  "remove-macvtap": (step, { name }) => step.do === "make-macvtap" && step.link.name === name,
  "remove-tap-rules": (step, { table }) => step.do === "set-tap-rules" && step.rules.table === table,
  "remove-udev-rule": (step, { path }) => step.do === "write-udev-rule" && step.path === path,
  "remove-image": (step, { path }) => step.do === "make-image" && step.path === path,
  "remove-folder": (step, { path }) =>
    (step.do === "make-folder" && step.path === path) ||
    (step.do === "make-link" && step.path.startsWith(`${path}/`)),
  "rebind-driver": (step, { device }) => step.do === "bind-vfio" && step.device === device,
  "set-memlock": (step) => step.do === "set-memlock",
};

function isOfTap(step: Step, name: string): boolean {
  if (step.do === "set-up-tap") return step.setup.name === name;
  if (step.do === "set-tap-rules") return step.rules.tap === name;
  if (step.do === "shape-tap" || step.do === "set-floor") return step.tap === name;
  return step.do === "pass-tap" && step.tap.name === name;
}

/** Commands without a created object. */
const SETTINGS: readonly string[] = ["set_link", "block_set_io_throttle"];

/** Reports whether an unplug removes everything created by a plug. */
function isPair(made: StepOf<"plug">, gone: StepOf<"unplug">): boolean {
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

/** Merges a change of a tap's rules into the step of its first rules. */
function mergeRules(kept: Step[], step: Step): Step[] {
  if (step.do !== "change-tap-rules") return [...kept, step];
  const { rules } = step;
  return kept.map((one) =>
    one.do === "set-tap-rules" && one.rules.table === rules.table ? { do: one.do, rules } : one,
  );
}

/** Merges a change of a guaranteed share into the step of its first share; without a share none remains. */
function mergeFloors(kept: Step[], step: Step): Step[] {
  if (step.do !== "set-floor") return [...kept, step];
  const { before: _, ...now } = step;
  const others = kept.filter((one) => one.do !== "set-floor" || one.tap !== step.tap);
  return now.bytesPerSecond === undefined ? others : [...others, now];
}

function isOutdated(step: Step, later: readonly Step[]): boolean {
  return (OUTDATED[step.do] as Outdated<Step> | undefined)?.(step, later) ?? false;
}

/** Reports whether later steps supersede a step. */
type Outdated<Done extends Step> = (step: Done, later: readonly Step[]) => boolean;

/**
 * Only the latest medium, link state and backing chain per device is kept. Access modes, jobs and limits are
 * dropped, because QEMU or the guest's XML already holds them. An image that has become the guest's is not
 * removed.
 */
const OUTDATED: { readonly [Name in Step["do"]]?: Outdated<StepOf<Name>> } = {
  "set-limits": () => true,
  "shape-tap": () => true,
  "tune-threads": ({ before }) => before !== undefined,
  "set-access": () => true,
  "start-job": () => true,
  "cancel-job": () => true,
  "make-image": ({ path }, later) => staysMade(path, later),
  "adopt-chain": ({ chain, device }, later) =>
    chain.length === 0 || later.some((other) => tellsChain(other, device)),
  "set-medium": isReplaced,
  "set-link": isReplaced,
};

function isReplaced(step: StepOf<"set-medium" | "set-link">, later: readonly Step[]): boolean {
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
