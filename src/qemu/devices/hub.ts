import { type Arguments, jsonArguments } from "../argument/argument.ts";
import { usbKeys } from "../argument/bus-properties.ts";
import type { Guest } from "../model/guest.ts";

/** -device for each USB hub. qemuBuildHubCommandLine() of libvirt */
export function formatHubs(guest: Guest): Arguments {
  return guest.devices.hubs.flatMap(({ alias, address }, index) =>
    jsonArguments("-device", {
      driver: "usb-hub",
      id: alias ?? `hub${index}`,
      ...usbKeys(guest, address ?? {}),
    }),
  );
}
