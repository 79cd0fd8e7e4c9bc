import type { Domain } from "../domain/domain.ts";
import { fillAddresses, leaveOpenAddresses } from "./default-addresses.ts";
import { fillDevices } from "./default-devices.ts";
import { fillDomain } from "./default-domain.ts";
import { type FirmwareChoice, fillFirmware } from "./default-firmware.ts";
import { placeDisks } from "./disk-place.ts";
import type { Guest } from "./guest.ts";
import { addImplicitControllers } from "./implicit-controllers.ts";
import { addImplicitDevices } from "./implicit-devices.ts";
import { decideMachine } from "./machine.ts";
import { addIommu, refuseMany } from "./many-cpus.ts";
import { fillBridges } from "./pci-bridges.ts";
import { placePci } from "./pci-place.ts";
import { placeScsiDevices } from "./scsi-place.ts";
import { placeChannels } from "./serial-ports.ts";
import { placeUsb } from "./usb-ports.ts";

/**
 * Decides what the XML leaves open, as libvirt does: the machine, the devices that are there without being written, each
 * device's address, and every setting that has a default. `domain` is the form in which libvirt stores it: completed
 * again, it stays the same. Firmware is chosen from what is told of the host. Throws "unsupported".
 */
export function completeGuest(written: Domain, firmware?: FirmwareChoice): Guest {
  const machine = decideMachine(written);
  const domain = fillFirmware(written, machine, firmware);
  const open = leaveOpenAddresses(fillDevices(domain));
  const implied = addImplicitDevices(addIommu(open, domain, machine), machine, domain.features);
  const controlled = addImplicitControllers(placeChannels(placeScsiDevices(placeDisks(implied))), machine);
  const stored = fillAddresses(fillBridges(placePci(controlled, machine)));
  // Ports on USB are given at each start: the reference does not store them.
  const filled = fillDomain({ ...domain, devices: stored }, machine);
  refuseMany(filled, machine);
  return { domain: filled, machine, devices: placeUsb(stored) };
}
