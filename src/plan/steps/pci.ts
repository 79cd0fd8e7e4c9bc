import * as v from "valibot";
import { aString, maybeString } from "../facts/plain-schemas.ts";

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
