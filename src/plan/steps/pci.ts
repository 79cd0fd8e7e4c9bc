import * as v from "valibot";
import { VFIO_PCI } from "../../domain/forms/vfio-driver.ts";
import { aString, maybeString } from "../facts/plain-schemas.ts";
import { type Kinds, noInverse } from "./kind.ts";

const common = {
  /** Name in sysfs, `0000:06:00.0`. */
  device: aString,
  /** Driver before the step; absent: none. */
  driver: maybeString,
  /** The driver allowed by the administrator before the step; absent: any. driver_override */
  override: maybeString,
  /** Driver for guests; absent: vfio-pci. */
  to: maybeString,
  /** Boot of the step. The kernel chooses drivers by itself at every boot. */
  bootId: aString,
};
const bindVfio = v.strictObject({ do: v.literal("bind-vfio"), ...common });
const giveDevice = v.strictObject({ do: v.literal("rebind-driver"), ...common });

/** Returns a PCI device from a driver for guests to the driver that the kernel chooses. */
const releaseDevice = v.strictObject({ do: v.literal("release-device"), device: aString });

/** Has the kernel reset a PCI device. */
const resetDevice = v.strictObject({ do: v.literal("reset-device"), device: aString });

/** Unbinds a PCI device of the host from its driver for a guest, or binds it again. */
export type DriverStep = v.InferOutput<typeof bindVfio | typeof giveDevice>;

/** Step on a PCI device of the host. */
export type PciStep = DriverStep | v.InferOutput<typeof releaseDevice | typeof resetDevice>;

/** Definition of each kind of step in this file. */
export const pciSteps: Kinds<PciStep> = {
  "bind-vfio": {
    schema: bindVfio,
    inverse: (done) => ({ ...done, do: "rebind-driver" }),
    describe: ({ device, driver, to = VFIO_PCI }) =>
      `bind ${device} to ${to} (driver before: ${driver ?? "none"})`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "rebind-driver": {
    schema: giveDevice,
    inverse: noInverse,
    describe: ({ device, driver, to = VFIO_PCI }) =>
      `unbind ${device} from ${to} and bind it to ${driver ?? "no driver"}`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "release-device": {
    schema: releaseDevice,
    inverse: noInverse,
    describe: ({ device }) => `return ${device} to the driver that the kernel chooses`,
    where: "host",
    record: "dropped",
    releases: "nothing",
  },
  "reset-device": {
    schema: resetDevice,
    inverse: noInverse,
    describe: ({ device }) => `reset ${device}`,
    where: "host",
    record: "dropped",
    releases: "nothing",
  },
};
