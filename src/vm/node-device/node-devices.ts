import { SvirtError } from "../../errors.ts";
import { formatNodeDevice, listCapabilities } from "../../report/node-devices/describe.ts";
import { listNodeDevices, type NodeDevice } from "../../report/node-devices/list.ts";
import type { Instance } from "../../state/instance.ts";

/** Names of capabilities in the order of their numbers. virNodeDevCapType of libvirt */
export const CAPABILITY_NAMES = [
  ...[
    "system",
    "pci",
    "usb_device",
    "usb",
    "net",
    "scsi_host",
    "scsi_target",
    "scsi",
    "storage",
    "fc_host",
    "vports",
  ],
  ...[
    "scsi_generic",
    "drm",
    "mdev_types",
    "mdev",
    "ccw",
    "css",
    "vdpa",
    "ap_card",
    "ap_queue",
    "ap_matrix",
    "vpd",
  ],
];

/**
 * Whether the device would be there after the host's next start whatever is plugged in: the computer alone.
 * udevSetupSystemDev() of libvirt
 */
export function isPersistent({ type }: NodeDevice): boolean {
  return type === "system";
}

/**
 * Lists the devices of the host that have one of these capabilities, by their names; undefined: all devices.
 */
export function listDevices({ host }: Instance, wanted?: ReadonlySet<string>): readonly NodeDevice[] {
  const all = listNodeDevices(host);
  if (wanted === undefined) return all;
  return all.filter((device) => listCapabilities(host, device).some((name) => wanted.has(name)));
}

/** Returns the device of that name. Throws "not-found". */
export function lookUpDevice({ host }: Instance, name: string): NodeDevice {
  const found = listNodeDevices(host).find((device) => device.name === name);
  if (found !== undefined) return found;
  throw new SvirtError(`Node device not found: no node device with matching name '${name}'`, {
    kind: "not-found",
    libvirt: "NO_NODE_DEVICE",
    remedy: "List the devices: svirt nodedev-list",
  });
}

/** Returns libvirt's `<device>` of the device of that name. Throws "not-found". */
export function getDeviceXml(instance: Instance, name: string): string {
  return formatNodeDevice(instance.host, lookUpDevice(instance, name));
}

/** Lists the capabilities of the device of that name. Throws "not-found". */
export function listDeviceCapabilities(instance: Instance, name: string): readonly string[] {
  return listCapabilities(instance.host, lookUpDevice(instance, name));
}
