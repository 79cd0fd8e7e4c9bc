import { diskBus } from "../../domain/devices/disk/facts.ts";
import type { Devices } from "../../domain/devices.ts";
import { type DrivePlace, drivePlace } from "../devices/disk/place.ts";

/**
 * Devices per SCSI controller, without the controller's own unit. SCSI_NARROW_BUS_MAX_CONT_UNIT of libvirt
 */
const UNITS = 7;

/**
 * Assigns the first free unit to each SCSI host device without an address. virDomainHostdevAssignAddress() of
 * libvirt
 */
export function placeScsiDevices(devices: Devices): Devices {
  const disks = devices.disks.filter((disk) => diskBus(disk) === "scsi").map(drivePlace);
  const given = devices.hostdevs.flatMap((device) =>
    device.address?.type === "drive" ? [drivePlace({ address: device.address })] : [],
  );
  const taken = new Set([...disks, ...given].map(keyOf));
  return {
    ...devices,
    hostdevs: devices.hostdevs.map((device) => {
      if (device.type !== "scsi" || device.address !== undefined) return device;
      const place = firstFree(taken);
      taken.add(keyOf(place));
      return { ...device, address: { type: "drive", ...place } };
    }),
  };
}

function firstFree(taken: ReadonlySet<string>): DrivePlace {
  for (let controller = 0; ; controller += 1) {
    for (let unit = 0; unit < UNITS; unit += 1) {
      const place = { controller, bus: 0, target: 0, unit };
      if (!taken.has(keyOf(place))) return place;
    }
  }
}

function keyOf({ controller, bus, target, unit }: DrivePlace): string {
  return [controller, bus, target, unit].join("-");
}
