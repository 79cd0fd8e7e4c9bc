import type { Step } from "../steps/step.ts";

/**
 * Descriptors, threads and mappings: several times a QEMU's descriptor limit. Inspecting that many takes
 * about a second.
 */
const OF_QEMU = 65_536;

/**
 * Returns the limit on the inspected open files of a guest. An honest guest stays below it. Helpers may open
 * files up to their own limit, and virtiofsd opens a file for each file known to its guest.
 */
export function countLooks(steps: readonly Step[]): number {
  const helpers = steps.map((step) => (step.do === "spawn-helper" ? (step.order.mostDescriptors ?? 0) : 0));
  return helpers.reduce((sum, most) => sum + most, OF_QEMU);
}
