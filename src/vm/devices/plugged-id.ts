import type { Device } from "../../domain/device.ts";
import type { Plugged } from "../../plan/plugged.ts";
import { pciKeys } from "../../qemu/device-bus.ts";
import type { Guest } from "../../qemu/guest.ts";
import { hostdevPlace } from "../../qemu/hostdev-words.ts";
import { driveId } from "../../qemu/hot-device.ts";

/**
 * A device's name in QEMU, if QEMU was given it: a disk's follows from its place, that of the others stands beside their
 * address, since what came while the guest ran has another number than its place among the domain's.
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
  if (element === "hostdev") {
    const place: [string, unknown][] = Object.entries(hostdevPlace(guest, value));
    return place.length > 0 && place.every(([key, at]) => at === undefined || facts[key] === at);
  }
  if (value.address?.type !== "pci") return false;
  const { addr, bus } = pciKeys(guest, value.address);
  return facts["addr"] === addr && facts["bus"] === bus;
}
