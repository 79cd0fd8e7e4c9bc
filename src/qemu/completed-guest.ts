import type { Domain } from "../domain/domain.ts";
import type { Guest } from "./guest.ts";
import { decideMachine } from "./machine.ts";
import { placeUsb } from "./usb-ports.ts";

/** completeGuest() of a domain that it has completed: what was decided stands, and only what is not stored is added. */
export function completedGuest(domain: Domain): Guest {
  return { domain, machine: decideMachine(domain), devices: placeUsb(domain.devices) };
}
