import type { ImageFormat } from "../../forms/source/disk.ts";
import type { Disk } from "./disk.ts";

/** The bus that the XML names or, as in libvirt, the one that the target's first two letters stand for. */
export function diskBus(value: Disk): NonNullable<Disk["target"]["bus"]> {
  if (value.target.bus !== undefined) return value.target.bus;
  return BUSES.get(value.target.dev.slice(0, 2)) ?? "virtio";
}

/** The format of its image; a folder has none. */
export function imageFormatOf({ driver }: Disk): ImageFormat | undefined {
  return driver?.type === "fat" ? undefined : driver?.type;
}

/** Whether the guest may only read it: said so, or a CD-ROM. */
export function isReadOnly(value: Disk): boolean {
  return value.readonly || value.device === "cdrom";
}

/** Whether that is the disk's target, or the path of its source: virsh takes either for its name. */
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
