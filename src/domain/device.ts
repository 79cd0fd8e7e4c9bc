import type { ElementForm } from "../xml/declaration.ts";
import { formatDocument } from "../xml/format-document.ts";
import { parseDocument } from "../xml/parse-document.ts";
import { readWhole } from "../xml/read-whole.ts";
import { notSupported } from "../xml/refusal.ts";
import { channel } from "./devices/chardev.ts";
import { controller } from "./devices/controller.ts";
import { disk } from "./devices/disk/disk.ts";
import { hostDevice } from "./devices/hostdev.ts";
import { networkInterface } from "./devices/network/interface.ts";
import { rng } from "./devices/rng.ts";
import type { Devices } from "./devices.ts";
import type { Domain } from "./domain.ts";
import type { DeviceOf, ELEMENTS, EntryOf, Family } from "./families.ts";

/**
 * Form of each family whose devices can be attached and detached, even while the guest runs. "none": only a
 * new definition changes a device of the family. A family with a form must be in the tables of qemu/hotplug
 * and vm/hotplug, or tsc fails.
 */
const FORMS = {
  disks: disk,
  controllers: controller,
  leases: "none",
  filesystems: "none",
  interfaces: networkInterface,
  smartcards: "none",
  serials: "none",
  parallels: "none",
  consoles: "none",
  channels: channel,
  inputs: "none",
  tpms: "none",
  graphics: "none",
  sounds: "none",
  audios: "none",
  videos: "none",
  hostdevs: hostDevice,
  redirdevs: "none",
  redirfilter: "none",
  hubs: "none",
  watchdogs: "none",
  memballoon: "none",
  rngs: rng,
  panics: "none",
  shmems: "none",
  iommu: "none",
  vsock: "none",
  cryptos: "none",
  pstore: "none",
  memories: "none",
} as const satisfies { readonly [F in Family]: ElementForm<DeviceOf<F>> | "none" };

type HotFamily = EntryOf<typeof FORMS>;

type Families = { readonly [F in HotFamily as (typeof ELEMENTS)[F]]: F };

/** Element of a device with attach and detach. */
export type HotElement = keyof Families;

/** Device of the family of an element. */
export type HotDevice<E extends HotElement> = DeviceOf<Families[E]>;

/** A device of a family that can be attached and detached, even while its guest runs. */
export type Device<E extends HotElement = HotElement> = {
  [K in E]: { readonly element: K; readonly value: HotDevice<K> };
}[E];

const FAMILY_OF: Families = {
  disk: "disks",
  controller: "controllers",
  interface: "interfaces",
  rng: "rngs",
  channel: "channels",
  hostdev: "hostdevs",
};

/** Returns the key of the device's family. */
export function familyOf({ element }: Device): HotFamily {
  return FAMILY_OF[element];
}

/**
 * Reads the document of a device, the input of `attach-device`. Throws "xml", "unsupported", with all
 * refusals.
 */
export function parseDevice(bytes: Uint8Array): Device {
  const root = parseDocument(bytes);
  const element = root.tag;
  if (isHot(element)) return { element, value: readWhole(formOf(element), root) } as Device;
  const why =
    "svirt attaches, changes and detaches only disks, controllers, interfaces, channels, devices of the host and sources of randomness";
  throw notSupported({ node: root }, why, "Change the definition: svirt define");
}

/** Returns the device's XML. */
export function formatDevice({ element, value }: Device): string {
  return formatDocument(formOf(element).format(value));
}

/** Returns the domain with another device, after the others of its family. */
export function addDevice(domain: Domain, device: Device): Domain {
  const family = familyOf(device);
  const { devices } = domain;
  return { ...domain, devices: { ...devices, [family]: [...devices[family], device.value] } };
}

/** Returns the domain without the device, compared by identity. */
export function withoutDevice(domain: Domain, device: Device): Domain {
  const { value } = device;
  return { ...domain, devices: mapFamily(domain.devices, device, (one) => (one === value ? [] : [one])) };
}

/** Returns the domain with `other` in place of the device, which is compared by identity. */
export function replaceDevice(domain: Domain, device: Device, other: Device): Domain {
  return {
    ...domain,
    devices: mapFamily(domain.devices, device, (one) => [one === device.value ? other.value : one]),
  };
}

function isHot(tag: string): tag is HotElement {
  return Object.hasOwn(FAMILY_OF, tag);
}

function formOf(element: HotElement): ElementForm<Device["value"]> {
  return FORMS[FAMILY_OF[element]] as ElementForm<Device["value"]>;
}

function mapFamily(
  devices: Devices,
  device: Device,
  change: (one: Device["value"]) => readonly Device["value"][],
): Devices {
  const family = familyOf(device);
  const found: readonly Device["value"][] = devices[family];
  return { ...devices, [family]: found.flatMap(change) };
}
