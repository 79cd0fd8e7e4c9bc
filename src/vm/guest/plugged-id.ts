import type { Device } from "../../domain/device.ts";
import type { Plugged } from "../../plan/record/qemu-objects.ts";
import { hotplugOf } from "../../qemu/hotplug/families.ts";
import type { Guest } from "../../qemu/model/guest.ts";

/**
 * Returns a device's name in QEMU, if QEMU has the device. A disk's name follows from its place. Other
 * devices are identified by their address: the number of a hot-plugged device differs from its place among
 * the domain's devices.
 */
export function pluggedId({ devices }: Plugged, guest: Guest, device: Device): string | undefined {
  const family = hotplugOf(device);
  return [...devices].find(([id, facts]) => family.isPlugged(guest, device.value, { id, facts }))?.[0];
}
