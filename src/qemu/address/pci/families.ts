import { diskBus } from "../../../domain/devices/disk/facts.ts";
import type { Devices } from "../../../domain/devices.ts";
import {
  type DeviceOf,
  ELEMENTS,
  type EntryOf,
  type Family,
  listFamily,
  orderOf,
} from "../../../domain/families.ts";
import type { PciAddress } from "../../../domain/forms/address.ts";
import { inputBus } from "../../default-devices.ts";
import { devicePath } from "../../refusal.ts";
import type { Connection } from "./buses.ts";
import {
  controllerConnection,
  hostdevConnection,
  interfaceConnection,
  videoConnection,
  virtioConnection,
} from "./connection.ts";
import type { Placer } from "./placer.ts";

/**
 * Kind of slot for a device of each family, undefined for a device on another bus. "none": no device of the
 * family is on PCI. qemuDomainDeviceCalculatePCIConnectFlags() of libvirt
 */
const CONNECTIONS = {
  disks: (disk) => (diskBus(disk) === "virtio" ? virtioConnection(disk.model) : undefined),
  controllers: controllerConnection,
  leases: "none",
  filesystems: ({ model }) => virtioConnection(model),
  interfaces: (found) => (found.type === "hostdev" ? "pcie" : interfaceConnection(found)),
  smartcards: "none",
  serials: ({ target }) => (target?.type === "pci-serial" ? "pci" : undefined),
  parallels: "none",
  consoles: "none",
  channels: "none",
  inputs: (input) => (inputBus(input) === "virtio" ? "pcie" : undefined),
  tpms: "none",
  graphics: "none",
  sounds: soundConnection,
  audios: "none",
  videos: videoConnection,
  hostdevs: hostdevConnection,
  redirdevs: "none",
  redirfilter: "none",
  hubs: "none",
  watchdogs: ({ model }) => (model === "i6300esb" ? "pci" : undefined),
  memballoon: ({ model }) => (model === "none" ? undefined : virtioConnection(model)),
  rngs: ({ model }) => virtioConnection(model),
  panics: ({ model }) => (model === "pvpanic" ? "pci" : undefined),
  shmems: () => "pci",
  iommu: ({ model }) => (model === "virtio" ? "integrated" : undefined),
  vsock: ({ model }) => virtioConnection(model),
  cryptos: ({ model }) => virtioConnection(model),
  pstore: () => "pci",
  memories: ({ model }) => (model === "virtio-mem" || model === "virtio-pmem" ? "pcie" : undefined),
} as const satisfies {
  readonly [F in Family]: ((device: DeviceOf<F>) => Connection | undefined) | "none";
};

/** Family with devices on PCI. */
export type PciFamily = EntryOf<typeof CONNECTIONS>;

/**
 * Order of reservation of the addresses in the XML. Of two devices with the same address, the later is
 * refused.
 */
const WRITTEN = orderOf<PciFamily>()([
  "controllers",
  "interfaces",
  "disks",
  "hostdevs",
  "memballoon",
  "rngs",
  "watchdogs",
  "videos",
  "inputs",
  "serials",
  "filesystems",
  "sounds",
  "shmems",
  "iommu",
  "vsock",
  "cryptos",
  "pstore",
  "panics",
  "memories",
]);

/** Device with a written PCI address. */
export interface WrittenPlace {
  readonly device: DeviceOf<PciFamily>;
  readonly address: PciAddress;
  /** Path of the device's element. */
  readonly path: string;
}

/** Lists the devices with a PCI address. */
export function listWritten(devices: Devices): readonly WrittenPlace[] {
  return WRITTEN.flatMap((family) =>
    listFamily(devices, family).flatMap((device: DeviceOf<PciFamily>, index) => {
      const address = "address" in device ? device.address : undefined;
      return address?.type === "pci" ? [{ device, address, path: devicePath(ELEMENTS[family], index) }] : [];
    }),
  );
}

interface Placed {
  readonly address?: { readonly type: string };
}

/**
 * Assigns addresses to the devices of a family without an address. `isIncluded`: whether this round includes
 * the device.
 */
export function placeFamily(
  devices: Devices,
  family: Exclude<PciFamily, "controllers">,
  { isIncluded = () => true, place }: { readonly place: Placer; isIncluded?(device: Placed): boolean },
): Devices {
  const connectionOf = CONNECTIONS[family] as (device: Placed) => Connection | undefined;
  const placeOne = place<Placed>(ELEMENTS[family], (device) =>
    isIncluded(device) ? connectionOf(device) : undefined,
  );
  const found: readonly object[] = listFamily(devices, family);
  const placed = found.map(placeOne);
  if (placed.length === 0) return devices;
  return { ...devices, [family]: Array.isArray(devices[family]) ? placed : placed[0] };
}

function soundConnection({ model }: DeviceOf<"sounds">): Connection | undefined {
  switch (model) {
    case "pcspk":
    case "sb16":
    case "usb":
      return undefined;
    case "virtio":
      return "pcie";
    case "ac97":
    case "es1370":
    case "ich6":
    case "ich9":
      return "pci";
  }
}
