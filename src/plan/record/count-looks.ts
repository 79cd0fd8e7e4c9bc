import type { Step } from "../steps/step.ts";

/** Descriptors, threads and mappings of a QEMU, its limit of descriptors several times over. So many take about a second. */
const OF_QEMU = 65_536;

/**
 * How much of what the processes of a guest with those steps have open is looked at: all of an honest guest. Its helpers may open
 * as many as they are allowed, a virtiofsd one for each file that its guest knows.
 */
export function countLooks(steps: readonly Step[]): number {
  const helpers = steps.map((step) => (step.do === "spawn-helper" ? (step.order.mostDescriptors ?? 0) : 0));
  return helpers.reduce((sum, most) => sum + most, OF_QEMU);
}
