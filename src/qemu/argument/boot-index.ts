import type { Disk } from "../../domain/devices/disk/disk.ts";
import type { HostDevice } from "../../domain/devices/hostdev.ts";
import type { NetworkInterface } from "../../domain/devices/network/interface.ts";
import type { Redirdev } from "../../domain/devices/redirdev.ts";
import type { Devices } from "../../domain/devices.ts";
import type { Guest } from "../model/guest.ts";

/** Boot order of devices for the firmware, from 1. */
export type BootIndexes = ReadonlyMap<Bootable, number>;
type Bootable = Disk | NetworkInterface | HostDevice | Redirdev;

/**
 * Returns `<boot order>` of the devices or, without any, `<os><boot dev>`, which names the first device of
 * each kind. With neither, the first disk. qemuBuildDisksCommandLine() of libvirt
 */
export function decideBootIndexes({ domain, devices }: Guest): BootIndexes {
  const { disks, interfaces, hostdevs, redirdevs } = devices;
  const bootable: readonly Bootable[] = [...disks, ...interfaces, ...hostdevs, ...redirdevs];
  const ordered = bootable.flatMap((device) =>
    device.boot === undefined ? [] : [[device, device.boot.order] as const],
  );
  if (ordered.length > 0 || devices.filesystems.some(({ boot }) => boot !== undefined))
    return new Map(ordered);
  const words = domain.os.boot.length === 0 ? (["hd"] as const) : domain.os.boot.map(({ dev }) => dev);
  return new Map(
    words.flatMap((word, index) => {
      const device = firstOf(word, devices);
      return device === undefined ? [] : [[device, index + 1] as const];
    }),
  );
}

const DISKS_OF = { hd: ["disk", "lun"], cdrom: ["cdrom"], fd: ["floppy"] } as const;

function firstOf(
  word: "hd" | "cdrom" | "fd" | "network",
  { disks, interfaces }: Devices,
): Disk | NetworkInterface | undefined {
  if (word === "network") return interfaces[0];
  const kinds: readonly string[] = DISKS_OF[word];
  return disks.find(({ device = "disk" }) => kinds.includes(device));
}
