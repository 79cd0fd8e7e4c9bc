import type { HostDevice } from "../devices/hostdev.ts";
import { isVfioDriver } from "../forms/vfio-driver.ts";
import { type DeviceRule, forEach, LEAVE_OUT, type UnimplementedRule } from "./rule.ts";

const HOST_USB = "<hostdev mode='subsystem' type='usb'>";

const HOSTDEVS: readonly DeviceRule<HostDevice>[] = [
  {
    place: "@rawio",
    missing: "let QEMU send raw SCSI commands",
    why: "that requires the capability CAP_SYS_RAWIO, and QEMU has no capabilities",
    remedy: "Write rawio='no'.",
    isAsked: (found) => found.type === "scsi" && found.rawio === true,
  },
  {
    place: "driver/@model",
    missing: "bind a PCI device to a driver whose name is none of VFIO's",
    why: "QEMU opens only VFIO devices",
    remedy: "Write the name of a VFIO driver, such as model='vfio-pci' or model='mlx5_vfio_pci'.",
    isAsked: (found) =>
      found.type === "pci" &&
      found.managed === true &&
      found.driver?.model !== undefined &&
      !isVfioDriver(found.driver.model),
  },
  {
    place: "source/@startupPolicy",
    missing: "start a guest whose PCI device is absent",
    remedy: "Write startupPolicy='mandatory'.",
    isAsked: ({ source, type }) => type === "pci" && (source.startupPolicy ?? "mandatory") !== "mandatory",
  },
];

/** Rules for passed-through devices of the host that a start does not implement yet. */
export const PASSTHROUGH_RULES = {
  hostdevs: forEach("hostdev", ({ devices }) => devices.hostdevs, HOSTDEVS),
  redirdevs: forEach("redirdev", ({ devices }) => devices.redirdevs, [
    any(
      "redirect USB devices of a client",
      `Leave this <redirdev> out, or pass a device of the host: ${HOST_USB}.`,
    ),
  ]),
  smartcards: forEach("smartcard", ({ devices }) => devices.smartcards, [
    any(
      "emulate smartcard readers",
      `Leave this <smartcard> out, or pass the host's card reader: ${HOST_USB}.`,
    ),
  ]),
  leases: forEach("lease", ({ devices }) => devices.leases, [any("use leases of a lock manager")]),
} as const satisfies Readonly<Record<string, readonly UnimplementedRule[]>>;

function any(missing: string, remedy = LEAVE_OUT): DeviceRule<unknown> {
  return { missing, remedy, isAsked: () => true };
}
