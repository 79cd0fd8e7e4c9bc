import type { PciStep } from "./pci.ts";

/** Whether a step is one of these. */
export function isPciStep(step: { readonly do: string }): step is PciStep {
  return step.do === "take-device" || step.do === "give-device";
}

/** The step that takes such a step back; undefined where there is nothing to take back. */
export function inversePci(done: PciStep): PciStep | undefined {
  return done.do === "take-device" ? { ...done, do: "give-device" } : undefined;
}
