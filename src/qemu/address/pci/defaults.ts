import type { Devices } from "../../../domain/devices.ts";

/** An address of any kind; each kind has its own keys. */
interface Address {
  readonly type: string;
}

const ZEROS: ReadonlyMap<string, object> = new Map<string, object>([
  ["pci", { domain: 0, bus: 0, slot: 0, function: 0 }],
  ["drive", { controller: 0, bus: 0, target: 0, unit: 0 }],
  ["virtio-serial", { controller: 0, bus: 0, port: 0 }],
  ["usb", { bus: 0 }],
]);

/** Takes PCI addresses away that are all zero: they ask for any place. virPCIDeviceAddressIsEmpty() of libvirt */
export function leaveOpenAddresses(devices: Devices): Devices {
  return mapAddresses(devices, (address) => (isOpen(address) ? undefined : address));
}

/** Writes out the zeros of addresses that leave parts away. */
export function fillAddresses(devices: Devices): Devices {
  return mapAddresses(devices, (address) => ({ ...ZEROS.get(address.type), ...address }));
}

function isOpen(
  address: Address & { readonly domain?: number; readonly bus?: number; readonly slot?: number },
): boolean {
  return address.type === "pci" && !(address.domain || address.bus || address.slot);
}

/** The devices with each address changed, or taken away. */
export function mapAddresses(devices: Devices, change: (address: Address) => Address | undefined): Devices {
  const changed = (device: unknown): unknown => {
    if (!hasAddress(device)) return device;
    const { address, ...rest } = device;
    const after = change(address);
    return after === undefined ? rest : { ...rest, address: after };
  };
  const families = Object.entries(devices).map(([name, family]) => [
    name,
    Array.isArray(family) ? family.map(changed) : changed(family),
  ]);
  return Object.fromEntries(families) as Devices;
}

function hasAddress(device: unknown): device is { readonly address: Address } {
  // That of a display on a message bus is a text.
  return (
    typeof device === "object" && device !== null && "address" in device && typeof device.address === "object"
  );
}
