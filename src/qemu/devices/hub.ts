import { jsonWords, type Words } from "../argument/argument.ts";
import { usbKeys } from "../argument/bus-properties.ts";
import type { Guest } from "../model/guest.ts";

/** -device for each USB hub. qemuBuildHubCommandLine() of libvirt */
export function formatHubs(guest: Guest): Words {
  return guest.devices.hubs.flatMap(({ alias, address }, index) =>
    jsonWords("-device", { driver: "usb-hub", id: alias ?? `hub${index}`, ...usbKeys(guest, address ?? {}) }),
  );
}
