import type { Domain } from "../domain/domain.ts";
import { placeUsb } from "./address/usb/ports.ts";
import type { Guest } from "./model/guest.ts";
import { decideMachine } from "./model/machine.ts";

/** completeGuest() of a domain that it has completed: what was decided stands, and only what is not stored is added. */
export function completedGuest(domain: Domain): Guest {
  return { domain, machine: decideMachine(domain), devices: placeUsb(domain.devices) };
}
