import type { Redirdev, RedirRule } from "../../domain/devices/redirdev.ts";
import { type Arguments, jsonArguments } from "../argument/argument.ts";
import type { BootIndexes } from "../argument/boot-index.ts";
import { usbKeys } from "../argument/bus-properties.ts";
import type { Launch } from "../launch.ts";
import type { Guest } from "../model/guest.ts";
import { devicePath } from "../refusal.ts";
import { formatFilelessBackend } from "./chardev/backend.ts";

/** -chardev and -device for USB redirected over the network. qemuBuildRedirdevCommandLine() of libvirt */
export function formatRedirdevs(guest: Guest, boot: BootIndexes, launch: Launch | undefined): Arguments {
  const filter = guest.devices.redirfilter?.rules.map(formatRule).join("|");
  return guest.devices.redirdevs.flatMap((found, index) => {
    const id = found.alias ?? `redir${index}`;
    const device = {
      driver: "usb-redir",
      chardev: `char${id}`,
      id,
      filter: filter === "" ? undefined : filter,
      bootindex: boot.get(found),
      ...usbKeys(guest, found.address ?? {}),
    };
    const named = { id, chardev: found, path: devicePath("redirdev", index) };
    return [...formatFilelessBackend(named, launch), ...jsonArguments("-device", device)];
  });
}

/** "0x08:0x1234:0xBEEF:0x0256:1", with -1 for any value. */
function formatRule({ class: kind, vendor, product, version, allow }: RedirRule): string {
  return [hex(kind, 2), hex(vendor, 4), hex(product, 4), hex(version, 4), Number(allow)].join(":");
}

function hex(value: number | undefined, digits: number): string {
  return value === undefined || value < 0
    ? "-1"
    : `0x${value.toString(16).toUpperCase().padStart(digits, "0")}`;
}

/** Sets the default protocol of a redirected device. virDomainChrSourceDefFormat() of libvirt */
export function fillRedirdev(found: Redirdev): Redirdev {
  return found.type === "tcp" ? { ...found, protocol: found.protocol ?? { type: "raw" } } : found;
}
