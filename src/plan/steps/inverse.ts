import { kindOf } from "./kind-of.ts";
import { isInOwnMount } from "./mount.ts";
import type { Step } from "./step.ts";

// Rule: Inverses run last step first; labels and claims are released together.

/** Returns the inverse of a step; undefined if it has none. */
export function inverse(done: Step): Step | undefined {
  return kindOf(done).inverse(done);
}

/**
 * Returns the steps that end a guest. QEMU is killed, the guest's folders are released, and then the other steps are undone,
 * each group last step first. Steps that only change a running QEMU have no inverse here.
 *
 * Folders come before labels and claims, because their removal runs outside of the registry's lock. All labels and claims
 * must be released within one hold of it. Otherwise two guests that share a file and end at the same time each see the
 * other's claim, and neither restores the label. In a folder that is mounted for the guest no label has changed: its server, which
 * may not answer, is not asked under the lock.
 */
export function planStop(done: readonly Step[]): Step[] {
  const own = done.filter(
    (step, at) => step.do !== "make-image" || !staysMade(step.path, done.slice(at + 1)),
  );
  const back = own
    .toReversed()
    .flatMap((step) => inverseAtEnd(step) ?? [])
    .filter((step) => step.do !== "restore-label" || !isInOwnMount(done, step.file.path));
  const rest = back.filter((step) => !isEnd(step));
  return [
    ...back.filter(isEnd),
    ...rest.filter(isSlow),
    ...rest.filter((step) => !isSlow(step) && !isLast(step)),
    ...rest.filter(isLast),
  ];
}

/**
 * Reports whether a step returns a PCI device to the host, or releases the claim that keeps others off until then. The kernel waits for each program that
 * uses the device, so it is asked without the registry's lock, and after all labels are restored.
 */
export function isLast(step: Step): boolean {
  return step.do === "rebind-driver" || (step.do === "release" && step.claim.kind === "pci");
}

/**
 * Reports whether a step's duration depends on how much the guest has written into a folder that no other guest shares, on the server
 * of such a folder, or on Open vSwitch. No other guest gets the folder, or a tap of that name, before its claim is released.
 */
export function isSlow(step: Step): boolean {
  if (step.do === "unshare-tree") return step.claim.sharing === "exclusive";
  if (step.do === "remove-tap") return step.port !== undefined;
  return step.do === "remove-folder" || step.do === "unmount-folder";
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
  if (isMonitorStep(done)) return undefined;
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

/** Reports whether a step only changes a running QEMU, so that its effect ends with QEMU. */
export function isMonitorStep(step: Step): boolean {
  return kindOf(step).where === "qemu";
}

/** Reports whether a step ends QEMU. It may take seconds, so it does not run under the registry's lock. */
export function isEnd(step: Step): boolean {
  return step.do === "kill";
}
