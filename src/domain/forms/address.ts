import { choice } from "../../xml/choice.ts";
import { element, type ValueOf } from "../../xml/element.ts";
import { attribute, child, required } from "../../xml/field.ts";
import { hexadecimal, integer, matching, onOff } from "../../xml/value-form.ts";
import { alias } from "./alias.ts";

const number = integer(0, 65535);

const pci = {
  domain: attribute("domain", hexadecimal(0xffff, 4)),
  bus: attribute("bus", hexadecimal(0xff, 2)),
  slot: attribute("slot", hexadecimal(0x1f, 2)),
  function: attribute("function", hexadecimal(7, 1)),
  multifunction: attribute("multifunction", onOff),
};
const drive = {
  controller: attribute("controller", number),
  bus: attribute("bus", number),
  target: attribute("target", number),
  unit: attribute("unit", number),
};
const serialBus = {
  controller: attribute("controller", number),
  bus: attribute("bus", number),
  port: attribute("port", number),
};
const usb = {
  bus: attribute("bus", number),
  port: attribute("port", matching(/^[0-9]{1,3}(?:\.[0-9]{1,3}){0,3}$/, "a USB port, 1 or 1.2")),
};

/** Fields of the address of a PCI device of the host. */
export const hostPciFields = {
  domain: pci.domain,
  bus: required(pci.bus),
  slot: required(pci.slot),
  function: required(pci.function),
};

/** `<address>` of a PCI device of the host, inside a `<source>`. */
export const hostPciAddress = element("address", () => hostPciFields);
export type HostPciAddress = ValueOf<typeof hostPciAddress>;

/** Fields of the address of a PCI device, of which the domain is always written. */
export function addPciDomain<T extends { readonly domain?: number }>(address: T): T & { domain: number } {
  return { ...address, domain: address.domain ?? 0 };
}

/** `<address>` inside the `<source>` of an interface, with its type. */
export const interfacePciAddress = choice("address", {
  attribute: "type",
  of: () => ({ pci: hostPciFields }),
  refused: { usb: "svirt does not pass USB network devices through" },
});

/** `<address>` on a PCI bus, https://libvirt.org/formatdomain.html#device-addresses */
const pciAddress = choice("address", { attribute: "type", of: () => ({ pci }) });
export type PciAddress = ValueOf<typeof pciAddress>;

/** `<address>` of a device for PCI and for USB. */
const pciOrUsbAddress = choice("address", { attribute: "type", of: () => ({ pci, usb }) });

/** `<address>` of a disk: on its controller, or on the PCI or USB bus. */
export const diskAddress = choice("address", { attribute: "type", of: () => ({ pci, drive, usb }) });

/** `<address>` of a host device: on its bus, or unassigned, so that the guest does not see the device. */
export const hostdevAddress = choice("address", {
  attribute: "type",
  of: () => ({ pci, drive, usb, unassigned: {} }),
});

/** `<address>` of a port of a virtio-serial controller. */
export const serialAddress = choice("address", {
  attribute: "type",
  of: () => ({ "virtio-serial": serialBus }),
});

const isa = {
  iobase: attribute("iobase", hexadecimal(0xffff, 1)),
  irq: attribute("irq", hexadecimal(0xff, 1)),
};

/** `<address>` of a device on the ISA bus. */
export const isaAddress = choice("address", { attribute: "type", of: () => ({ isa }) });

/** `<address>` of a serial port. */
export const serialPortAddress = choice("address", { attribute: "type", of: () => ({ pci, usb, isa }) });

/** `<address>` of a console: a serial port, or a port of a virtio-serial controller. */
export const consoleAddress = choice("address", {
  attribute: "type",
  of: () => ({ isa, "virtio-serial": serialBus }),
});

/** Last fields of a PCI device's element, in libvirt's order. */
export const onPci = { alias, address: child(pciAddress) };

/** Last fields of a USB device's element, in libvirt's order. */
export const onUsb = { alias, address: child(choice("address", { attribute: "type", of: () => ({ usb }) })) };

/** Last fields of a device on PCI or USB. */
export const onPciOrUsb = { alias, address: child(pciOrUsbAddress) };
