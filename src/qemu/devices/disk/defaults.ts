import type { Disk } from "../../../domain/devices/disk/disk.ts";
import { diskBus, isReadOnly } from "../../../domain/devices/disk/facts.ts";
import { fillBacking, fillImage, withEngine } from "./default-image.ts";

/**
 * A disk with what it leaves open; what is the default anyway is not written. virDomainDiskDefPostParse(),
 * qemuDomainDeviceDiskDefPostParse() and virDomainDiskDefFormat() of libvirt
 */
export function fillDisk({ snapshot: written, ...disk }: Disk): Disk {
  const { device = "disk" } = disk;
  // Nobody can take one of what another program serves.
  const snapshot = written ?? (disk.type === "vhostuser" ? "no" : undefined);
  const { tray, ...target } = disk.target;
  return {
    ...disk,
    device,
    // Nobody takes a snapshot of what cannot change.
    ...(snapshot === undefined || (snapshot === "no" && isReadOnly(disk)) ? {} : { snapshot }),
    driver: fillDriver(disk),
    target: { ...target, bus: diskBus(disk), ...(tray === "open" ? { tray } : {}) },
    readonly: isReadOnly(disk),
    ...(disk.source === undefined ? {} : { source: fillImage(disk.source) }),
    ...(disk.backingStore === undefined ? {} : { backingStore: fillBacking(disk.backingStore) }),
    ...(disk.encryption === undefined ? {} : { encryption: withEngine(disk.encryption) }),
  } as Disk;
}

/** A volume's pool knows its format. */
function fillDriver({ driver, type }: Disk): NonNullable<Disk["driver"]> {
  const { cache, type: format = type === "volume" ? undefined : "raw", ...others } = driver ?? {};
  return {
    ...others,
    name: "qemu",
    ...(format === undefined ? {} : { type: format }),
    ...(cache === undefined || cache === "default" ? {} : { cache }),
  };
}
