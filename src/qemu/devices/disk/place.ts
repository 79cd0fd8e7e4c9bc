import type { Disk } from "../../../domain/devices/disk/disk.ts";
import { diskBus } from "../../../domain/devices/disk/facts.ts";
import type { HostDevice } from "../../../domain/devices/hostdev.ts";
import type { Devices } from "../../../domain/devices.ts";
import { type ControllerOf, controllersOf } from "../../model/guest.ts";
import { cannotTranslate, devicePath } from "../../refusal.ts";

/** Address of a disk on its controller. Missing parts are 0. */
export interface DrivePlace {
  readonly controller: number;
  readonly bus: number;
  readonly target: number;
  readonly unit: number;
}

/** Number of disks per controller; SCSI as on a narrow bus. virDomainDiskDefAssignAddress() of libvirt */
const UNITS: ReadonlyMap<string, number> = new Map([
  ["ide", 4],
  ["scsi", 7],
  ["sata", 6],
  ["fdc", 2],
]);

/**
 * Sorts disks in libvirt's order, and assigns each an address by its target: sda is the first, sdb the
 * second. Groups disks by bus, in the order of first use, sorted by name. Throws "unsupported" if two disks
 * share a name or address.
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

/** Index of a disk by its target: 0 for hda, 25 for hdz, 26 for hdaa. virDiskNameParse() of libvirt */
export function diskIndex({ target }: Disk): number {
  let index = 0;
  for (const letter of target.dev.replace(/^(?:xv|ub|.)d/, ""))
    index = index * 26 + letter.charCodeAt(0) - 96;
  return index - 1;
}

/** A device with an address on a drive's bus: a disk, or a SCSI host device. */
type Addressed = Pick<Disk | HostDevice, "address">;

/** Returns the address on the bus. Missing parts are 0. */
export function drivePlace({ address }: Addressed): DrivePlace {
  const { controller = 0, bus = 0, target = 0, unit = 0 } = address?.type === "drive" ? address : {};
  return { controller, bus, target, unit };
}

/** Whether an address does not exist on its SCSI bus. qemuValidateDomainDeviceDefAddressDrive() of libvirt */
export function isNoScsiPlace(device: Addressed, devices: Devices): boolean {
  const { bus, target } = drivePlace(device);
  return bus > 0 || (scsiModelOf(device, devices) === "lsilogic" && target > 0);
}

/** Returns the model of the SCSI controller of a disk or host device. */
export function scsiModelOf(device: Addressed, devices: Devices): ControllerOf<"scsi">["model"] {
  const { controller } = drivePlace(device);
  return controllersOf(devices, "scsi").find(({ index }) => index === controller)?.model ?? "lsilogic";
}

/** Old controllers: their devices have only a SCSI id. */
const FLAT: ReadonlySet<ControllerOf<"scsi">["model"]> = new Set(["lsilogic", "dc390", "am53c974"]);

/** Returns the address keys on a SCSI bus. qemuBuildDeviceAddresDriveProps() of libvirt */
export function scsiPlaceKeys(device: Addressed, devices: Devices): object {
  const { bus: channel, target, unit } = drivePlace(device);
  if (FLAT.has(scsiModelOf(device, devices))) return { "scsi-id": unit };
  return { channel, "scsi-id": target, lun: unit };
}

// virDomainDiskInsert() of libvirt: buses in the order of first use.
function sortDisks(disks: readonly Disk[]): readonly Disk[] {
  const buses = new Map<string, Disk[]>();
  for (const disk of disks) {
    const bus = diskBus(disk);
    buses.set(bus, [...(buses.get(bus) ?? []), disk]);
  }
  return [...buses.values()].flatMap(sortByName);
}

/** Sorts by index, not by letters: vdz before vdaa. */
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
