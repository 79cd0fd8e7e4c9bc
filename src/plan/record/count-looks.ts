import type { Step } from "../steps/step.ts";

/** Descriptors, threads and mappings: several times a QEMU's descriptor limit. Inspecting so many takes about a second. */
const OF_QEMU = 65_536;

/**
 * Returns how many open files of a guest's processes are inspected: enough for every honest guest. Helpers may open up to
 * their own limit, and virtiofsd opens one for each file that its guest knows.
 */
export function countLooks(steps: readonly Step[]): number {
  const helpers = steps.map((step) => (step.do === "spawn-helper" ? (step.order.mostDescriptors ?? 0) : 0));
  return helpers.reduce((sum, most) => sum + most, OF_QEMU);
}
