import type { Guest } from "../model/guest.ts";
import { cannotPlug } from "./family.ts";

/**
 * Refuses the device if it needs a controller or hub that the running QEMU does not have. `name` is for
 * messages.
 */
export function refuseNewControllers(
  before: Guest,
  after: Guest,
  { name, value }: { readonly name: string; readonly value: object },
): void {
  const known = new Set(before.devices.controllers.map(({ index, type }) => `${type} ${index}`));
  if (after.devices.hubs.length > before.devices.hubs.length) {
    throw cannotPlug(
      `${name} needs a USB hub, which the running guest does not have`,
      "Add <controller type='usb' model='qemu-xhci' ports='15'/> to the definition, and start the guest again.",
    );
  }
  const added = after.devices.controllers.find(
    (one) => one !== value && !known.has(`${one.type} ${one.index}`),
  );
  if (added === undefined) return;
  throw cannotPlug(
    `${name} needs the ${added.type} controller ${added.index}, which the running guest does not have`,
    `Add <controller type='${added.type}' index='${added.index}'/> to the definition, and start the guest again.`,
  );
}
