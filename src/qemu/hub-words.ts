import { usbKeys } from "./device-bus.ts";
import type { Guest } from "./guest.ts";
import { jsonWords, type Words } from "./words.ts";

/** -device for each USB hub. qemuBuildHubCommandLine() of libvirt */
export function formatHubs(guest: Guest): Words {
  return guest.devices.hubs.flatMap(({ alias, address }, index) =>
    jsonWords("-device", { driver: "usb-hub", id: alias ?? `hub${index}`, ...usbKeys(guest, address ?? {}) }),
  );
}
