import type { Disk } from "../../../domain/devices/disk/disk.ts";
import { diskBus } from "../../../domain/devices/disk/facts.ts";
import type { HostDevice } from "../../../domain/devices/hostdev.ts";
import type { Devices } from "../../../domain/devices.ts";
import { type ControllerOf, controllersOf } from "../../model/guest.ts";
import { cannotTranslate, devicePath } from "../../refusal.ts";

/** Where on its controller a disk is, with its zeros filled in. */
export interface DrivePlace {
  readonly controller: number;
  readonly bus: number;
  readonly target: number;
  readonly unit: number;
}

/** How many disks a controller takes; SCSI as on a narrow bus. virDomainDiskDefAssignAddress() of libvirt */
const UNITS: ReadonlyMap<string, number> = new Map([
  ["ide", 4],
  ["scsi", 7],
  ["sata", 6],
  ["fdc", 2],
]);

/**
 * Puts the disks in libvirt's order and gives each the place on its controller that its target's name stands for: sda
 * is the first, sdb the second. Disks of one bus stand together by name, buses as they first came. Throws
 * "unsupported" where two disks have one name or one place.
 */
export function placeDisks(devices: Devices): Devices {
  const disks = sortDisks(devices.disks).map(placeDisk);
  refuseDouble(disks, "target/@dev", ({ target }) => target.dev);
  refuseDouble(disks, "address", (disk) => {
    if (disk.address?.type !== "drive") return undefined;
    return `${diskBus(disk)} ${Object.values(drivePlace(disk)).join("-")}`;
  });
  return { ...devices, disks };
}

/** 0 for hda, 25 for hdz, 26 for hdaa. virDiskNameParse() of libvirt */
export function diskIndex({ target }: Disk): number {
  let index = 0;
  for (const letter of target.dev.replace(/^(?:xv|ub|.)d/, ""))
    index = index * 26 + letter.charCodeAt(0) - 96;
  return index - 1;
}

/** What may have a place on a drive's bus: a disk, or a SCSI device of the host. */
type Addressed = Pick<Disk | HostDevice, "address">;

/** Its place; parts that are not written are 0. */
export function drivePlace({ address }: Addressed): DrivePlace {
  const { controller = 0, bus = 0, target = 0, unit = 0 } = address?.type === "drive" ? address : {};
  return { controller, bus, target, unit };
}

/** Whether a SCSI bus has no such place for a disk or a device of the host. qemuValidateDomainDeviceDefAddressDrive() of libvirt */
export function isNoScsiPlace(device: Addressed, devices: Devices): boolean {
  const { bus, target } = drivePlace(device);
  return bus > 0 || (scsiModelOf(device, devices) === "lsilogic" && target > 0);
}

/** The model of the SCSI controller that a disk or a device of the host is on. */
export function scsiModelOf(device: Addressed, devices: Devices): ControllerOf<"scsi">["model"] {
  const { controller } = drivePlace(device);
  return controllersOf(devices, "scsi").find(({ index }) => index === controller)?.model ?? "lsilogic";
}

/** Controllers of old, whose devices have a number on the bus and nothing more. */
const FLAT: ReadonlySet<ControllerOf<"scsi">["model"]> = new Set(["lsilogic", "dc390", "am53c974"]);

/** The keys for its place on its controller's bus. qemuBuildDeviceAddresDriveProps() of libvirt */
export function scsiPlaceKeys(device: Addressed, devices: Devices): object {
  const { bus: channel, target, unit } = drivePlace(device);
  if (FLAT.has(scsiModelOf(device, devices))) return { "scsi-id": unit };
  return { channel, "scsi-id": target, lun: unit };
}

// virDomainDiskInsert() of libvirt: buses in the order in which they first come.
function sortDisks(disks: readonly Disk[]): readonly Disk[] {
  const buses = new Map<string, Disk[]>();
  for (const disk of disks) {
    const bus = diskBus(disk);
    buses.set(bus, [...(buses.get(bus) ?? []), disk]);
  }
  return [...buses.values()].flatMap(sortByName);
}

/** By number, not by letter: vdz before vdaa. */
function sortByName(disks: readonly Disk[]): readonly Disk[] {
  const numbered = disks.map((disk) => ({ disk, number: diskIndex(disk) }));
  return numbered.toSorted((a, b) => a.number - b.number).map(({ disk }) => disk);
}

function placeDisk(disk: Disk): Disk {
  const bus = diskBus(disk);
  const units = UNITS.get(bus);
  if (disk.address !== undefined || units === undefined) return disk;
  const [controller, rest] = [Math.floor(diskIndex(disk) / units), diskIndex(disk) % units];
  const [channel, unit] = bus === "ide" ? [Math.floor(rest / 2), rest % 2] : [0, rest];
  return { ...disk, address: { type: "drive", controller, bus: channel, target: 0, unit } };
}

function refuseDouble(
  disks: readonly Disk[],
  place: string,
  keyOf: (disk: Disk) => string | undefined,
): void {
  const seen = new Map<string, string>();
  for (const [index, disk] of disks.entries()) {
    const key = keyOf(disk);
    if (key === undefined) continue;
    const before = seen.get(key);
    if (before !== undefined) {
      const path = `${devicePath("disk", index)}/${place}`;
      throw cannotTranslate(path, `${disk.target.dev} and ${before} share it`, "Give each disk its own.");
    }
    seen.set(key, disk.target.dev);
  }
}
