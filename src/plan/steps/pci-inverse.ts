import type { PciStep } from "./pci.ts";

/** Reports whether a step is a PciStep. */
export function isPciStep(step: { readonly do: string }): step is PciStep {
  return step.do === "take-device" || step.do === "give-device";
}

/** Returns the inverse of a step; undefined if it has none. */
export function inversePci(done: PciStep): PciStep | undefined {
  return done.do === "take-device" ? { ...done, do: "give-device" } : undefined;
}
