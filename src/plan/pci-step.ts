import * as v from "valibot";
import { aString, maybeString } from "./plain-schemas.ts";

const common = {
  /** Its name in sysfs, `0000:06:00.0`. */
  device: aString,
  /** That had it before; absent: none. */
  driver: maybeString,
  /** The only driver that it was to have before, by the administrator's will; absent: any. driver_override */
  override: maybeString,
  /** Every boot begins with the kernel's own choice. */
  bootId: aString,
};

/** A PCI device of the host's is taken from its driver, for guests, or given back. */
export const pciStep = v.variant("do", [
  v.strictObject({ do: v.literal("take-device"), ...common }),
  v.strictObject({ do: v.literal("give-device"), ...common }),
]);
export type PciStep = v.InferOutput<typeof pciStep>;

/** Whether a step is one of these. */
export function isPciStep(step: { readonly do: string }): step is PciStep {
  return step.do === "take-device" || step.do === "give-device";
}

/** The step that takes such a step back; undefined where there is nothing to take back. */
export function inversePci(done: PciStep): PciStep | undefined {
  return done.do === "take-device" ? { ...done, do: "give-device" } : undefined;
}

/** One line for a person. */
export function describePci({ device, do: what, driver }: PciStep): string {
  if (what === "take-device") return `give ${device} to vfio-pci (its driver is ${driver ?? "none"})`;
  return `take ${device} from vfio-pci and give it back to ${driver ?? "no driver"}`;
}
