import type { ElementForm } from "../xml/declaration.ts";
import { formatDocument } from "../xml/format-document.ts";
import { parseDocument } from "../xml/parse-document.ts";
import { readWhole } from "../xml/read-whole.ts";
import { notSupported } from "../xml/refusal.ts";
import { type Channel, channel } from "./devices/chardev.ts";
import { type Disk, disk } from "./devices/disk/disk.ts";
import { type HostDevice, hostDevice } from "./devices/hostdev.ts";
import { type NetworkInterface, networkInterface } from "./devices/network/interface.ts";
import { type Rng, rng } from "./devices/rng.ts";
import type { Devices } from "./devices.ts";
import type { Domain } from "./domain.ts";
import { hostPciName } from "./forms/host-pci.ts";

/** A device of a family that can be attached and detached, also while its guest runs. */
export type Device =
  | { readonly element: "disk"; readonly value: Disk }
  | { readonly element: "interface"; readonly value: NetworkInterface }
  | { readonly element: "rng"; readonly value: Rng }
  | { readonly element: "channel"; readonly value: Channel }
  | { readonly element: "hostdev"; readonly value: HostDevice };

/** Reads the document of one device, the input of `attach-device`. Throws "xml", "unsupported", with all refusals. */
export function parseDevice(bytes: Uint8Array): Device {
  const root = parseDocument(bytes);
  switch (root.tag) {
    case "disk":
      return { element: "disk", value: readWhole(disk, root) };
    case "interface":
      return { element: "interface", value: readWhole(networkInterface, root) };
    case "rng":
      return { element: "rng", value: readWhole(rng, root) };
    case "channel":
      return { element: "channel", value: readWhole(channel, root) };
    case "hostdev":
      return { element: "hostdev", value: readWhole(hostDevice, root) };
    default: {
      const why =
        "svirt attaches, changes and detaches disks, interfaces, channels, devices of the host and sources of randomness alone";
      throw notSupported({ node: root }, why, "Change the definition: svirt define");
    }
  }
}

/** Returns the device's XML. */
export function formatDevice(device: Device): string {
  switch (device.element) {
    case "disk":
      return formatOne(disk, device.value);
    case "interface":
      return formatOne(networkInterface, device.value);
    case "rng":
      return formatOne(rng, device.value);
    case "channel":
      return formatOne(channel, device.value);
    case "hostdev":
      return formatOne(hostDevice, device.value);
  }
}

/** Returns the device's name for messages: a disk's target, an interface's address, a channel's name in the guest. */
export function nameDevice(device: Device): string {
  switch (device.element) {
    case "disk":
      return device.value.target.dev;
    case "interface":
      return `interface ${device.value.mac?.address ?? ""}`.trimEnd();
    case "rng":
      return `rng ${device.value.backend.model}`;
    case "channel":
      return nameChannel(device.value);
    case "hostdev":
      return nameHostDevice(device.value);
  }
}

/** Returns the domain with one more device, after the others of its family. */
export function withDevice(domain: Domain, device: Device): Domain {
  const { devices } = domain;
  switch (device.element) {
    case "disk":
      return { ...domain, devices: { ...devices, disks: [...devices.disks, device.value] } };
    case "interface":
      return { ...domain, devices: { ...devices, interfaces: [...devices.interfaces, device.value] } };
    case "rng":
      return { ...domain, devices: { ...devices, rngs: [...devices.rngs, device.value] } };
    case "channel":
      return { ...domain, devices: { ...devices, channels: [...devices.channels, device.value] } };
    case "hostdev":
      return { ...domain, devices: { ...devices, hostdevs: [...devices.hostdevs, device.value] } };
  }
}

/** Returns the domain without the device, which is compared by identity. */
export function withoutDevice(domain: Domain, { element, value }: Device): Domain {
  return { ...domain, devices: mapFamily(domain.devices, element, (one) => (one === value ? [] : [one])) };
}

/** Returns the domain with `other` in place of the device, which is compared by identity. */
export function withOther(domain: Domain, { element, value }: Device, other: Device): Domain {
  return {
    ...domain,
    devices: mapFamily(domain.devices, element, (one) => [one === value ? other.value : one]),
  };
}

const FAMILIES = {
  disk: "disks",
  interface: "interfaces",
  rng: "rngs",
  channel: "channels",
  hostdev: "hostdevs",
} as const;

function mapFamily(
  devices: Devices,
  element: Device["element"],
  change: (one: Device["value"]) => readonly Device["value"][],
): Devices {
  const family: readonly Device["value"][] = devices[FAMILIES[element]];
  return { ...devices, [FAMILIES[element]]: family.flatMap(change) };
}

function nameChannel({ target }: Channel): string {
  return `channel ${(target.type === "virtio" ? target.name : target.address) ?? ""}`.trimEnd();
}

function nameHostDevice(device: HostDevice): string {
  switch (device.type) {
    case "pci":
      return `hostdev ${hostPciName(device.source.address)}`;
    case "mdev":
      return `hostdev ${device.source.address.uuid}`;
    case "usb": {
      const { address, product, vendor } = device.source;
      const place = address === undefined ? "" : ` at ${address.bus}/${address.device}`;
      const digits = (id: number): string => id.toString(16).padStart(4, "0");
      const ids = vendor === undefined ? "" : ` ${digits(vendor.id)}:${digits(product?.id ?? 0)}`;
      return `hostdev usb${ids}${place}`;
    }
    case "scsi":
      return `hostdev scsi ${device.source.protocol === "adapter" ? device.source.adapter.name : device.source.name}`;
    case "scsi_host":
      return `hostdev ${device.source.wwpn}`;
  }
}

function formatOne<T>(form: ElementForm<T>, value: T): string {
  return formatDocument(form.format(value));
}
