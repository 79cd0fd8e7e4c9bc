import { expect, test } from "bun:test";
import { parseDomain } from "../../../src/domain/document.ts";
import { completeGuest } from "../../../src/qemu/complete-guest.ts";
import { domainWith } from "../../domain/corpus.ts";

/** Returns type and number of each controller of a guest with these devices. */
function orderOf(devices: string): readonly string[] {
  const { controllers } = completeGuest(parseDomain(domainWith(devices))).devices;
  return controllers.map(({ type, index }) => `${type} ${index}`);
}

// virDomainControllerInsertPreAlloced(), virDomainDefAddImplicitControllers() of libvirt
test.each([
  ["types as they come", "<controller type='scsi'/><controller type='usb'/>", ["scsi 0", "usb 0", "pci 0"]],
  [
    "one type by number, where its first is",
    "<controller type='scsi' index='1'/><controller type='usb'/><controller type='scsi' index='0'/>",
    ["scsi 0", "scsi 1", "usb 0", "pci 0"],
  ],
  [
    "those that are added behind, SCSI before IDE",
    "<disk><source file='/a'/><target dev='hda'/></disk><disk><source file='/b'/><target dev='sda'/></disk>",
    ["usb 0", "pci 0", "scsi 0", "ide 0"],
  ],
  [
    "the parts of a USB 2 controller under one number, a second of a kind under the next",
    ["ehci1", "uhci1", "uhci2", "uhci1", "ehci1"]
      .map((part) => `<controller type='usb' model='ich9-${part}'/>`)
      .join(""),
    ["usb 0", "usb 0", "usb 0", "usb 1", "usb 1", "pci 0"],
  ],
  [
    "a USB controller 0 beside a written 1",
    "<controller type='usb' index='1' model='nec-xhci'/>",
    ["usb 0", "usb 1", "pci 0"],
  ],
])("controllers stand in libvirt's order: %s", (_, devices, order) => {
  expect(orderOf(devices)).toEqual(order);
});
