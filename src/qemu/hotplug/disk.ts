import type { Device } from "../../domain/device.ts";
import type { Disk } from "../../domain/devices/disk/disk.ts";
import { diskBus } from "../../domain/devices/disk/facts.ts";
import type { Domain } from "../../domain/domain.ts";
import { listDisk } from "../../domain/resources/disk.ts";
import { isServed } from "../../domain/uses-network.ts";
import { virtioConnection } from "../address/pci/connection.ts";
import { diskId, formatNewDisk } from "../devices/disk/argv.ts";
import { chainOf, type FoundChains } from "../devices/disk/chain.ts";
import { limitSpeed } from "../iotune-commands.ts";
import type { Guest } from "../model/guest.ts";
import { devicePath } from "../refusal.ts";
import {
  alreadyThere,
  cannotPlug,
  type FreeNames,
  type HotplugFamily,
  NEEDS_START,
  notFound,
} from "./family.ts";

/** Hot-plug of disks, identified by their target. qemuDomainAttachDeviceDiskLiveInternal() of libvirt */
export const DISK: HotplugFamily<"disk"> = {
  name: ({ target }) => target.dev,
  find: (domain, { target }) => findDisk(domain, target.dev).value,
  refusePlug,
  refuseUnplug,
  refuseDouble({ devices }, { target }, form) {
    if (!devices.disks.some((disk) => disk.target.dev === target.dev)) return;
    const remedy = "Give the disk another target, or detach the other disk first.";
    throw alreadyThere(form, `target ${target.dev} already exists`, remedy);
  },
  place: (disk) => (diskBus(disk) === "virtio" ? virtioConnection(disk.model) : undefined),
  // Completion sorts disks.
  findAdded: ({ disks }, device) => disks.find(({ target }) => target.dev === device.target.dev) ?? device,
  alone: (disk) => ({ disks: [disk] }),
  words: (alone, disk, { boot, chains, launch, names }) =>
    formatNewDisk(alone, numberedDisk(alone, disk, { chains, names }), { chains, boot, launch }),
  commandsAfter: (alone) => alone.devices.disks.flatMap((disk) => limitSpeed(alone, disk)),
  // A disk's name follows from its place: it needs no alias.
  prefix: "net",
  isPlugged: (guest, disk, { id }) => diskId(guest, disk) === id,
  resources: listDisk,
  usesNetwork: isServed,
};

/** Returns the disk with the target. Throws "not-found". */
export function findDisk({ devices }: Domain, target: string): Device<"disk"> {
  const value = devices.disks.find((disk) => disk.target.dev === target);
  if (value === undefined) throw notFound(`disk ${target} not found`);
  return { element: "disk", value };
}

/** Returns the disk with unused numbers for its images. */
export function numberedDisk(
  guest: Guest,
  disk: Disk,
  { chains, names }: { readonly chains: FoundChains; readonly names: FreeNames },
): Parameters<typeof formatNewDisk>[1] {
  const path = devicePath("disk", Math.max(0, guest.devices.disks.indexOf(disk)));
  const chain = chainOf(disk, chains);
  const nextNumber = names.node + chain.elements.length;
  return { disk, chain, path, folder: "", firstNumber: names.node, nextNumber, firstFdset: names.set };
}

function refusePlug(disk: Disk): void {
  if (!isHotBus(disk)) {
    const why = `disk bus '${diskBus(disk)}' cannot be hotplugged`;
    throw cannotPlug(why, "Write bus='virtio', 'scsi' or 'usb'.");
  }
  if (disk.device === "cdrom" && disk.source === undefined) {
    throw cannotPlug("an empty CD-ROM drive cannot be hot-plugged", "Write its <source>.");
  }
  if (disk.transient !== undefined) throw cannotPlug("a transient disk cannot be hot-plugged", NEEDS_START);
  if (disk.wwn !== undefined) throw cannotPlug("a disk with a <wwn> cannot be hot-plugged", "Leave it out.");
}

// qemuDomainDetachPrepDisk() of libvirt
function refuseUnplug(disk: Disk): void {
  if (isHotBus(disk)) return;
  const { device: kind = "disk" } = disk;
  const why =
    kind === "cdrom" || kind === "floppy"
      ? `disk device type '${kind}' cannot be detached`
      : "This type of disk cannot be hot unplugged";
  throw cannotPlug(why, NEEDS_START);
}

function isHotBus(disk: Disk): boolean {
  const bus = diskBus(disk);
  return bus === "scsi" || bus === "usb" || (bus === "virtio" && (disk.device ?? "disk") === "disk");
}
