import { type Arguments, jsonArguments } from "../argument/argument.ts";
import { pciKeys } from "../argument/bus-properties.ts";
import { type Launch, passedName } from "../launch.ts";
import type { Guest } from "../model/guest.ts";

/** -object and -device for the store of crash logs. qemuBuildPstoreCommandLine() of libvirt */
export function formatPstore(guest: Guest, launch: Launch | undefined): Arguments {
  const { pstore } = guest.devices;
  if (pstore === undefined) return [];
  const id = pstore.alias ?? "pstore0";
  const memdev = `mem${id}`;
  return [
    ...jsonArguments("-object", {
      "qom-type": "memory-backend-file",
      id: memdev,
      "mem-path": passedName(launch, { path: pstore.path, purpose: "memory", access: "read-write" }),
      size: pstore.sizeKiB * 1024,
      share: true,
    }),
    ...jsonArguments("-device", { driver: "acpi-erst", id, memdev, ...pciKeys(guest, pstore.address) }),
  ];
}
