import type { PciStep } from "./pci.ts";

/** Describes the step in one line. */
export function describePci({ device, do: what, driver }: PciStep): string {
  if (what === "take-device") return `give ${device} to vfio-pci (its driver is ${driver ?? "none"})`;
  return `take ${device} from vfio-pci and give it back to ${driver ?? "no driver"}`;
}
