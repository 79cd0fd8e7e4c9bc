import type { ImageFormat } from "../../forms/source/disk.ts";
import type { Disk } from "./disk.ts";

/** Returns the bus that the XML names, or libvirt's default for the first two letters of the target. */
export function diskBus(value: Disk): NonNullable<Disk["target"]["bus"]> {
  if (value.target.bus !== undefined) return value.target.bus;
  return BUSES.get(value.target.dev.slice(0, 2)) ?? "virtio";
}

/** Returns the format of the disk's image; a folder has none. */
export function imageFormatOf({ driver }: Disk): ImageFormat | undefined {
  return driver?.type === "fat" ? undefined : driver?.type;
}

/** Whether the guest may only read the disk: the XML says so, or it is a CD-ROM. */
export function isReadOnly(value: Disk): boolean {
  return value.readonly || value.device === "cdrom";
}

/** Whether the name is the disk's target or the path of its source; virsh accepts either. */
export function isDiskNamed({ source, target }: Disk, name: string): boolean {
  if (target.dev === name || source === undefined) return target.dev === name;
  return ("file" in source && source.file === name) || ("dev" in source && source.dev === name);
}

// virDiskNameToBusDeviceIndex() and virDomainDiskDefParseXML() of libvirt
const BUSES: ReadonlyMap<string, NonNullable<Disk["target"]["bus"]>> = new Map([
  ["hd", "ide"],
  ["sd", "scsi"],
  ["vd", "virtio"],
  ["fd", "fdc"],
]);
