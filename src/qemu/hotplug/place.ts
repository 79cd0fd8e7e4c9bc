import type { Device } from "../../domain/device.ts";
import type { PciAddress } from "../../domain/forms/address.ts";
import { type Connection, createPciBuses } from "../address/pci/buses.ts";
import { reserveWritten } from "../address/pci/place.ts";
import { pciKeys } from "../argument/bus-properties.ts";
import { controllersOf, type Guest } from "../model/guest.ts";
import { cannotTranslate } from "../refusal.ts";
import type { PluggedFacts } from "./family.ts";

/**
 * Returns a hot-plugged device with a free PCI address, if it has no address and needs a connection to PCI.
 * Throws "unsupported" if none is free.
 */
export function placeHot(guest: Guest, device: Device, connection: Connection | undefined): Device {
  if (device.value.address !== undefined || connection === undefined) return device;
  const address = freePlace(guest, connection);
  return { ...device, value: { ...device.value, address } } as Device;
}

/** Reports whether a device in QEMU has this PCI address. */
export function isAtPci(
  guest: Guest,
  address: { readonly type: string } | PciAddress | undefined,
  facts: PluggedFacts,
): boolean {
  if (address === undefined || !isPci(address)) return false;
  const { addr, bus } = pciKeys(guest, address);
  return facts["addr"] === addr && facts["bus"] === bus;
}

function isPci(address: { readonly type: string }): address is PciAddress {
  return address.type === "pci";
}

/** First free PCI address that supports hot-plug. qemuDomainEnsurePCIAddress() of libvirt */
function freePlace({ devices, machine }: Guest, connection: Connection): PciAddress {
  const controllers = controllersOf(devices, "pci");
  const buses = createPciBuses(controllers, machine);
  reserveWritten(devices, buses);
  const fixed = new Set(
    controllers.filter(({ target }) => target?.hotplug === false).map(({ index }) => index),
  );
  let place = buses.take(connection, "/domain/devices");
  while (fixed.has(place.bus)) place = buses.take(connection, "/domain/devices");
  if (buses.added.length === 0) return place;
  const isExpress = machine.chipset === "q35";
  const why = isExpress
    ? `no free ${connection === "pcie" ? "port" : "bridge"} is left, and the running guest cannot get another`
    : "no free slot is left, and the running guest cannot get another bridge";
  const model = connection === "pcie" ? "pcie-root-port" : "pcie-to-pci-bridge";
  const remedy = isExpress
    ? `Add <controller type='pci' model='${model}'/> to the definition, and start the guest again.`
    : "Add <controller type='pci' model='pci-bridge'/> to the definition, and start the guest again.";
  throw cannotTranslate("/domain/devices", why, remedy);
}
