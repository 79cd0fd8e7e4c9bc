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

/** Removes PCI addresses that are all zero: they ask for any slot. virPCIDeviceAddressIsEmpty() of libvirt */
export function leaveOpenAddresses(devices: Devices): Devices {
  return mapAddresses(devices, (address) => (isOpen(address) ? undefined : address));
}

/** Adds zeros for the missing parts of addresses. */
export function fillAddresses(devices: Devices): Devices {
  return mapAddresses(devices, (address) => ({ ...ZEROS.get(address.type), ...address }));
}

function isOpen(
  address: Address & { readonly domain?: number; readonly bus?: number; readonly slot?: number },
): boolean {
  return address.type === "pci" && !(address.domain || address.bus || address.slot);
}

/** Returns the devices with each address changed, or removed if `change` returns undefined. */
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
  // The address of a D-Bus display is a string.
  return (
    typeof device === "object" && device !== null && "address" in device && typeof device.address === "object"
  );
}
