import type { Devices } from "../../domain/devices.ts";
import type { Plugged } from "../../plan/record/qemu-objects.ts";
import { addAliases } from "../../qemu/aliases.ts";
import type { Guest } from "../../qemu/model/guest.ts";
import { pluggedId } from "./plugged-id.ts";

/**
 * Returns a running guest's devices, each with its name in QEMU as its alias. The number of a hot-plugged
 * device may differ from its place.
 */
export function namedDevices(guest: Guest, plugged: Plugged): Devices {
  return addAliases(guest, {
    interface: (value) => pluggedId(plugged, guest, { element: "interface", value }),
    rng: (value) => pluggedId(plugged, guest, { element: "rng", value }),
    channel: (value) => pluggedId(plugged, guest, { element: "channel", value }),
    hostdev: (value) => pluggedId(plugged, guest, { element: "hostdev", value }),
  });
}
