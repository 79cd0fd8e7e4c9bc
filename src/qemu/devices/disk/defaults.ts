import type { Disk } from "../../../domain/devices/disk/disk.ts";
import { diskBus, isReadOnly } from "../../../domain/devices/disk/facts.ts";
import { addEngine, fillBacking, fillImage } from "./default-image.ts";

/**
 * Sets the defaults of a disk, and omits attributes with libvirt's default. virDomainDiskDefPostParse(),
 * qemuDomainDeviceDiskDefPostParse() and virDomainDiskDefFormat() of libvirt
 */
export function fillDisk({ snapshot: written, ...disk }: Disk): Disk {
  const { device = "disk" } = disk;
  // A vhost-user disk cannot be snapshotted.
  const snapshot = written ?? (disk.type === "vhostuser" ? "no" : undefined);
  const { tray, ...target } = disk.target;
  return {
    ...disk,
    device,
    // A read-only disk has snapshot='no' by default.
    ...(snapshot === undefined || (snapshot === "no" && isReadOnly(disk)) ? {} : { snapshot }),
    driver: fillDriver(disk),
    target: { ...target, bus: diskBus(disk), ...(tray === "open" ? { tray } : {}) },
    readonly: isReadOnly(disk),
    ...(disk.source === undefined ? {} : { source: fillImage(disk.source) }),
    ...(disk.backingStore === undefined ? {} : { backingStore: fillBacking(disk.backingStore) }),
    ...(disk.encryption === undefined ? {} : { encryption: addEngine(disk.encryption) }),
  } as Disk;
}

/** A volume has no default format, because its pool knows the format. */
function fillDriver({ driver, type }: Disk): NonNullable<Disk["driver"]> {
  const { cache, type: format = type === "volume" ? undefined : "raw", ...others } = driver ?? {};
  return {
    ...others,
    name: "qemu",
    ...(format === undefined ? {} : { type: format }),
    ...(cache === undefined || cache === "default" ? {} : { cache }),
  };
}
