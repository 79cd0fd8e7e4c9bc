import type { Domain } from "../domain/domain.ts";
import { placeUsb } from "./address/usb/ports.ts";
import type { Guest } from "./model/guest.ts";
import { decideMachine } from "./model/machine.ts";

/** Returns the guest of a completed domain: adds only the USB ports, which are not stored. */
export function completedGuest(domain: Domain): Guest {
  return { domain, machine: decideMachine(domain), devices: placeUsb(domain.devices) };
}
