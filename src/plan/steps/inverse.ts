import { inverseBlock, isBlockStep } from "./block-inverse.ts";
import { inverseLive } from "./device-inverse.ts";
import { inverseShare, isShareStep } from "./host-inverse.ts";
import { inverseOwner, isOwnerStep } from "./owner.ts";
import { inversePci, isPciStep } from "./pci-inverse.ts";
import type { Step } from "./step.ts";
import { inverseStream, isStreamStep, isToldStream } from "./stream-inverse.ts";
import { inverseTree, isTreeStep } from "./tree-inverse.ts";

/** Time between SIGTERM and SIGKILL for a guest's QEMU: libvirt gives it 10 s + 5 s. */
const KILL_GRACE_MS = 10_000;

/** Returns the inverse of a step; undefined if it has none. */
export function inverse(done: Step): Step | undefined {
  if (isBlockStep(done)) return inverseBlock(done);
  if (isStreamStep(done)) return inverseStream(done);
  if (isShareStep(done)) return inverseShare(done);
  if (isTreeStep(done)) return inverseTree(done);
  if (isPciStep(done)) return inversePci(done);
  if (isOwnerStep(done)) return inverseOwner(done);
  switch (done.do) {
    case "reserve":
      return { do: "release", claim: done.claim };
    case "make-folder":
    case "set-label":
    case "write-udev-rule":
    case "lend-folder":
    case "grant":
    case "expect-socket":
    case "link-socket":
      return inverseOnFiles(done);
    case "spawn":
      return { do: "kill", graceMs: KILL_GRACE_MS };
    case "plug":
    case "set-medium":
    case "set-link":
    case "set-memlock":
      return inverseLive(done);
    // A helper ends with the guest's other processes.
    case "spawn-helper":
    case "make-link":
    case "return-folder":
    case "check-context":
    case "greet":
    case "resume":
    case "unplug":
    case "release":
    case "remove-folder":
    case "remove-socket":
    case "unlink-socket":
    case "restore-label":
    case "remove-udev-rule":
    case "revoke":
    case "kill":
      return undefined;
  }
}

type UndoableFileStep = Extract<
  Step,
  {
    do:
      | "make-folder"
      | "set-label"
      | "write-udev-rule"
      | "lend-folder"
      | "grant"
      | "expect-socket"
      | "link-socket";
  }
>;

function inverseOnFiles(done: UndoableFileStep): Step {
  switch (done.do) {
    case "make-folder":
      return {
        do: "remove-folder",
        path: done.path,
        ...(done.limit === undefined ? {} : { isMounted: true }),
      };
    case "set-label":
      return {
        do: "restore-label",
        file: done.file,
        claim: done.claim,
        from: done.to,
        ...(done.from === undefined ? {} : { to: done.from }),
      };
    case "write-udev-rule":
      return { do: "remove-udev-rule", path: done.path, file: done.file };
    case "lend-folder": {
      const { original: label, path } = done;
      return { do: "return-folder", path, ...(label === undefined ? {} : { label }) };
    }
    case "grant":
      return { do: "revoke", file: done.file, uid: done.uid };
    case "expect-socket":
      return { ...done, do: "remove-socket" };
    case "link-socket":
      return { do: "unlink-socket", path: done.path, target: done.target };
  }
}

/**
 * Returns the steps that end a guest. QEMU is killed, the guest's folders are released, and then the other steps are undone,
 * each group last step first. Steps that only tell a running QEMU something have no inverse here.
 *
 * Folders come before labels and claims, because their removal runs outside of the registry's lock. All labels and claims
 * must be released within one hold of it. Otherwise two guests that share a file and end at once each see the other's claim,
 * and neither restores the label.
 */
export function planStop(done: readonly Step[]): Step[] {
  const own = done.filter(
    (step, at) => step.do !== "make-image" || !staysMade(step.path, done.slice(at + 1)),
  );
  const back = own.toReversed().flatMap((step) => inverseAtEnd(step) ?? []);
  const rest = back.filter((step) => !isEnd(step));
  return [
    ...back.filter(isEnd),
    ...rest.filter(isOfGuestsSize),
    ...rest.filter((step) => !isOfGuestsSize(step)),
  ];
}

/**
 * Reports whether a step's duration depends on how much the guest has written into a folder that no other guest shares. No
 * other guest gets such a folder before its claim is released.
 */
export function isOfGuestsSize(step: Step): boolean {
  if (step.do === "unshare-tree") return step.claim.sharing === "exclusive";
  return step.do === "remove-folder";
}

/** Reports whether a created image has since become the guest's own. */
export function staysMade(path: string, later: readonly Step[]): boolean {
  return later.some((step) => (step.do === "start-job" || step.do === "adopt-chain") && step.made === path);
}

/**
 * Returns the inverse of a step after QEMU has ended. For a change of label it restores the label from before the guest,
 * independently of the label that the file has.
 */
function inverseAtEnd(done: Step): Step | undefined {
  if (isToldQemu(done)) return undefined;
  if (done.do !== "change-label") return inverse(done);
  const { file, to: claimed } = done;
  if (claimed.label === undefined) return undefined;
  const to = claimed.original === undefined ? {} : { to: claimed.original };
  return { do: "restore-label", file, claim: claimed, from: claimed.label, ...to };
}

/** Returns the inverses of steps, last first. */
export function planUndo(done: readonly Step[]): Step[] {
  return done.toReversed().flatMap((step) => inverse(step) ?? []);
}

const TOLD_QEMU: ReadonlySet<Step["do"]> = new Set([
  "plug",
  "unplug",
  "set-medium",
  "set-link",
  "set-memlock",
  "set-access",
  "start-job",
  "cancel-job",
  "adopt-chain",
  "hand-tap",
  "take-tap",
  "resume",
  "tune-threads",
  "set-limits",
]);

/** Reports whether a step only tells a running QEMU something, or lasts as long as QEMU runs. */
export function isToldQemu(step: Step): boolean {
  return isStreamStep(step) ? isToldStream(step) : TOLD_QEMU.has(step.do);
}

/** Reports whether a step ends QEMU. It may take seconds, so it does not run under the registry's lock. */
export function isEnd(step: Step): boolean {
  return step.do === "kill";
}
