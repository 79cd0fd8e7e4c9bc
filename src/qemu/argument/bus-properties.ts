import type { Controller } from "../../domain/devices/controller.ts";
import type { PciAddress } from "../../domain/forms/address.ts";
import { controllersOf, type Guest, pciPlace } from "../model/guest.ts";

/** Keys of -device for a device's place on its bus. */
export interface BusKeys {
  readonly bus: string;
  readonly multifunction?: boolean;
  readonly addr?: string;
  readonly port?: string;
}

/** Returns the keys for a PCI device, `"bus":"pci.0","addr":"0x2.0x1"`. */
export function pciKeys(guest: Guest, address: PciAddress | undefined): BusKeys {
  const { bus, slot, function: fn } = pciPlace(address ?? { type: "pci" });
  const multifunction = address?.multifunction;
  return {
    bus: pciBusName(guest, bus),
    ...(multifunction === undefined ? {} : { multifunction }),
    addr: `0x${slot.toString(16)}${fn === 0 ? "" : `.0x${fn.toString(16)}`}`,
  };
}

/** Returns the key for the number by which the firmware names a PCI device. */
export function acpiKeys(acpi: { readonly index: number } | undefined): { readonly "acpi-index"?: number } {
  return acpi === undefined ? {} : { "acpi-index": acpi.index };
}

/** Returns the keys for a PCI device's option ROM. qemuBuildRomProps() of libvirt */
export function romKeys(
  rom: { readonly enabled?: boolean; readonly bar?: boolean; readonly file?: string } | undefined,
): { readonly rombar?: number; readonly romfile?: string } {
  // An empty name turns the ROM off.
  if (rom?.enabled === false) return { romfile: "" };
  return {
    ...(rom?.bar === undefined ? {} : { rombar: Number(rom.bar) }),
    ...(rom?.file === undefined ? {} : { romfile: rom.file }),
  };
}

/** Returns the keys for a USB device, `"bus":"usb.0","port":"1"`. */
export function usbKeys(guest: Guest, address: { readonly bus?: number; readonly port?: string }): BusKeys {
  const controller = controllersOf(guest.devices, "usb").find(({ index }) => index === (address.bus ?? 0));
  return {
    bus: `${controller === undefined ? "usb" : controllerId(guest, controller)}.0`,
    port: address.port ?? "1",
  };
}

/** Returns the id of a controller: its alias, or libvirt's default. qemuAssignDeviceControllerAlias() */
export function controllerId(guest: Guest, controller: Controller): string {
  const { type, index = 0, alias } = controller;
  if (alias !== undefined) return alias;
  switch (type) {
    case "pci":
      return index === 0 ? guest.machine.rootBus : `pci.${index}`;
    case "usb":
      return index === 0 ? "usb" : `usb${index}`;
    case "ide":
      return index === 0 ? "ide" : `ide${index}`;
    case "sata":
      // QEMU's name for the controller on the board.
      return index === 0 && guest.machine.chipset === "q35" ? "ide" : `sata${index}`;
    case "fdc":
    case "ccid":
    case "scsi":
    case "virtio-serial":
      return `${type}${index}`;
  }
}

function pciBusName(guest: Guest, index: number): string {
  if (index === 0) return guest.machine.rootBus;
  const controller = controllersOf(guest.devices, "pci").find((found) => found.index === index);
  return controller === undefined ? `pci.${index}` : controllerId(guest, controller);
}
