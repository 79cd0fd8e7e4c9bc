import type { Domain } from "../domain/domain.ts";
import { placeDisks } from "./disk-place.ts";
import type { Guest } from "./guest.ts";
import { addImplicitControllers } from "./implicit-controllers.ts";
import { addImplicitDevices } from "./implicit-devices.ts";
import { decideMachine } from "./machine.ts";
import { placePci } from "./pci-place.ts";
import { placeChannels } from "./serial-ports.ts";
import { placeUsb } from "./usb-ports.ts";

/**
 * Decides what the XML leaves open, as libvirt does: the machine, the devices that are there without being written, and
 * each device's address. The same domain always gives the same guest. Throws "unsupported".
 */
export function completeGuest(domain: Domain): Guest {
  const machine = decideMachine(domain);
  const placed = placeChannels(placeDisks(addImplicitDevices(domain.devices, machine)));
  const controlled = addImplicitControllers(placed, machine);
  return { domain, machine, devices: placePci(placeUsb(controlled), machine) };
}
