import type { Disk } from "../domain/devices/disk/disk.ts";
import type { Domain } from "../domain/domain.ts";
import type { Host } from "../host/host.ts";

/**
 * Removes missing images that are optional (`startupPolicy='optional'`): a drive becomes empty, and a disk is
 * removed. `requisite` concerns migration; at a start it equals `mandatory`.
 * qemuDomainCheckDiskStartupPolicy() of libvirt
 */
export function dropMissingDisks(host: Host, domain: Domain): Domain {
  const { devices } = domain;
  if (!devices.disks.some(isOptional)) return domain;
  const disks = devices.disks.flatMap((disk): readonly Disk[] => {
    const path = isOptional(disk) ? pathOf(disk) : undefined;
    if (path === undefined || host.inspectFile(path) !== undefined) return [disk];
    return disk.device === "cdrom" || disk.device === "floppy" ? [withoutMedium(disk)] : [];
  });
  return { ...domain, devices: { ...devices, disks } };
}

function isOptional({ source }: Disk): boolean {
  return source !== undefined && "startupPolicy" in source && source.startupPolicy === "optional";
}

/** Returns the path of a disk's file or device. */
export function pathOf({ source }: Disk): string | undefined {
  if (source === undefined) return undefined;
  if ("file" in source) return source.file;
  return "dev" in source && typeof source.dev === "string" ? source.dev : undefined;
}

function withoutMedium<D extends Disk>({ source: _, backingStore: __, ...drive }: D): D {
  return drive as unknown as D;
}
