import * as v from "valibot";
import { aString, maybeString } from "../facts/plain-schemas.ts";

const common = {
  /** Name in sysfs, `0000:06:00.0`. */
  device: aString,
  /** Driver before the step; absent: none. */
  driver: maybeString,
  /** Only driver that the administrator allowed before the step; absent: any. driver_override */
  override: maybeString,
  /** Boot of the step. The kernel chooses drivers by itself at every boot. */
  bootId: aString,
};

/** Takes a PCI device of the host from its driver for guests, or gives it back. */
export const pciStep = v.variant("do", [
  v.strictObject({ do: v.literal("take-device"), ...common }),
  v.strictObject({ do: v.literal("give-device"), ...common }),
]);
export type PciStep = v.InferOutput<typeof pciStep>;
