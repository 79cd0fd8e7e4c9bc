import { kindOf } from "./kind-of.ts";
import type { Step } from "./step.ts";

// Rule: Inverses run last step first; labels and claims are released together.

/** Returns the inverse of a step; undefined if it has none. */
export function inverse(done: Step): Step | undefined {
  return kindOf(done).inverse(done);
}

/**
 * Returns the steps for a guest's end. QEMU is killed, the guest's folders are released, and then the other
 * steps are undone, each group last step first. Steps on a running QEMU only have no inverse here.
 *
 * Folders come before labels and claims, because their removal runs outside of the registry's lock. All
 * labels and claims must be released within a single hold of it. Otherwise two guests with a shared file and
 * a common time of their ends each see the other's claim, and neither restores the label. In a folder mounted
 * for the guest no label has changed: its server may be silent, and is not asked under the lock.
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
 * Reports whether a step returns a PCI device to the host, or releases the claim for it. The kernel waits for
 * each program with the device, so it is asked without the registry's lock, and after all labels are
 * restored.
 */
export function isLast(step: Step): boolean {
  return step.do === "rebind-driver" || (step.do === "release" && step.claim.kind === "pci");
}

/**
 * Reports whether a step's duration depends on the guest's content in a folder unshared with other guests, on
 * the server of such a folder, or on Open vSwitch. No other guest gets the folder, or a tap of the name,
 * before its claim is released.
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
 * Returns the inverse of a step after QEMU has ended. For a change of label it restores the label from before
 * the guest, independently of the label that the file has.
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

/** Reports whether a step has mounted a folder above the path: all files there have the mount's label. */
export function isInOwnMount(done: readonly Step[], path: string): boolean {
  return done.some((step) => step.do === "mount-folder" && path.startsWith(`${step.path}/`));
}
