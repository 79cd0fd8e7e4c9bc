import type { Device } from "../../domain/device.ts";
import { diskBus } from "../../domain/devices/disk/facts.ts";
import type { PciAddress } from "../../domain/forms/address.ts";
import { type Connection, createPciBuses } from "../address/pci/buses.ts";
import { hostdevConnection, interfaceConnection, virtioConnection } from "../address/pci/connection.ts";
import { reserveWritten } from "../address/pci/place.ts";
import { controllersOf, type Guest } from "../model/guest.ts";
import { cannotTranslate } from "../refusal.ts";

/** Assigns a free PCI address to a hot-plugged device, if it needs one. Throws "unsupported" if none is free. */
export function placeHot(guest: Guest, device: Device): Device {
  if (device.value.address !== undefined) return device;
  switch (device.element) {
    case "disk": {
      if (diskBus(device.value) !== "virtio") return device;
      const address = freePlace(guest, virtioConnection(device.value.model));
      return { ...device, value: { ...device.value, address } };
    }
    case "interface": {
      const connection = interfaceConnection(device.value);
      if (connection === undefined) return device;
      const address = freePlace(guest, connection);
      return { ...device, value: { ...device.value, address } };
    }
    case "hostdev": {
      const connection = hostdevConnection(device.value);
      if (connection === undefined) return device;
      const address = freePlace(guest, connection);
      return { ...device, value: { ...device.value, address } as typeof device.value };
    }
    // The usual rules assign a port of a controller.
    case "channel":
      return device;
    case "rng": {
      const address = freePlace(guest, virtioConnection(device.value.model));
      return { ...device, value: { ...device.value, address } };
    }
  }
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
    ? `no free ${connection === "pcie" ? "port" : "bridge"} is left, and none can be added while the guest runs`
    : "no free slot is left, and no bridge can be added while the guest runs";
  const model = connection === "pcie" ? "pcie-root-port" : "pcie-to-pci-bridge";
  const remedy = isExpress
    ? `Add <controller type='pci' model='${model}'/> to the definition, and start the guest again.`
    : "Add <controller type='pci' model='pci-bridge'/> to the definition, and start the guest again.";
  throw cannotTranslate("/domain/devices", why, remedy);
}
