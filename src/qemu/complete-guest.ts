import type { Domain } from "../domain/domain.ts";
import { fillBridges } from "./address/pci/bridges.ts";
import { fillAddresses, leaveOpenAddresses } from "./address/pci/defaults.ts";
import { placePci } from "./address/pci/place.ts";
import { placeScsiDevices } from "./address/scsi.ts";
import { placeUsb } from "./address/usb/ports.ts";
import { fillDevices } from "./default-devices.ts";
import { fillDomain } from "./default-domain.ts";
import { placeChannels } from "./devices/chardev/virtio-serial.ts";
import { addImplicitControllers } from "./devices/controller/implicit.ts";
import { placeDisks } from "./devices/disk/place.ts";
import { refuseEach } from "./every-refusal.ts";
import { type FirmwareChoice, fillFirmware } from "./firmware/defaults.ts";
import { addImplicitDevices } from "./implicit-devices.ts";
import { addIommu, refuseMany } from "./machine/vcpu-limit.ts";
import type { Guest } from "./model/guest.ts";
import { decideMachine } from "./model/machine.ts";

/**
 * Decides everything left open by the XML, as libvirt does: machine, implicit devices, addresses, and each
 * setting with a default. `domain` of the result is the form stored by libvirt; completing it again does not
 * change it. Chooses firmware from `firmware`, the descriptors of the host. Throws "unsupported", with all
 * refused devices.
 */
export function completeGuest(written: Domain, firmware?: FirmwareChoice): Guest {
  const { devices } = written;
  try {
    return complete(written, firmware);
  } catch (thrown) {
    refuseEach(devices, thrown, (others) => complete({ ...written, devices: others }, firmware));
    throw thrown;
  }
}

function complete(written: Domain, firmware: FirmwareChoice | undefined): Guest {
  const machine = decideMachine(written);
  const domain = fillFirmware(written, machine, firmware);
  const open = leaveOpenAddresses(fillDevices(domain));
  const implied = addImplicitDevices(addIommu(open, domain, machine), machine, domain.features);
  const controlled = addImplicitControllers(placeChannels(placeScsiDevices(placeDisks(implied))), machine);
  const stored = fillAddresses(fillBridges(placePci(controlled, machine)));
  // USB ports are assigned at each start: libvirt does not store them.
  const filled = fillDomain({ ...domain, devices: stored }, machine);
  refuseMany(filled, machine);
  return { domain: filled, machine, devices: placeUsb(stored) };
}
