import type { Device } from "../../domain/device.ts";
import type { Plugged } from "../../plan/record/qemu-objects.ts";
import { pciKeys } from "../../qemu/argument/bus-properties.ts";
import { serialBusKeys } from "../../qemu/devices/chardev/argv.ts";
import { hostdevPlace } from "../../qemu/devices/hostdev/argv.ts";
import { driveId } from "../../qemu/hotplug/plug.ts";
import type { Guest } from "../../qemu/model/guest.ts";

/**
 * Returns a device's name in QEMU, if QEMU has the device. A disk's name follows from its place. Other devices are identified
 * by their address: the number of a hot-plugged one differs from its place among the domain's devices.
 */
export function pluggedId({ devices }: Plugged, guest: Guest, device: Device): string | undefined {
  if (device.element === "disk") {
    const id = driveId(guest, device.value);
    return devices.has(id) ? id : undefined;
  }
  return [...devices].find(([, facts]) => isAt(guest, device, facts))?.[0];
}

function isAt(
  guest: Guest,
  { element, value }: Exclude<Device, { element: "disk" }>,
  facts: Readonly<Record<string, unknown>>,
): boolean {
  if (element === "hostdev") return hasPlace(facts, hostdevPlace(guest, value));
  if (element === "channel") return hasPlace(facts, serialBusKeys(guest, value.address));
  if (value.address?.type !== "pci") return false;
  const { addr, bus } = pciKeys(guest, value.address);
  return facts["addr"] === addr && facts["bus"] === bus;
}

function hasPlace(facts: Readonly<Record<string, unknown>>, place: object): boolean {
  const keys: [string, unknown][] = Object.entries(place);
  return keys.length > 0 && keys.every(([key, at]) => at === undefined || facts[key] === at);
}
