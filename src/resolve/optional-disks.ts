import type { Disk } from "../domain/devices/disk/disk.ts";
import type { Domain } from "../domain/domain.ts";
import type { Host } from "../host/host.ts";

/**
 * The domain without images that are not there and need not be (`startupPolicy='optional'`): a drive is empty then, a disk
 * is left out. `requisite` is about migration; at a start it is as `mandatory`. qemuDomainCheckDiskStartupPolicy() of
 * libvirt
 */
export function settleDisks(host: Host, domain: Domain): Domain {
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

function pathOf({ source }: Disk): string | undefined {
  if (source === undefined) return undefined;
  if ("file" in source) return source.file;
  return "dev" in source && typeof source.dev === "string" ? source.dev : undefined;
}

function withoutMedium<D extends Disk>({ source: _, backingStore: __, ...drive }: D): D {
  return drive as unknown as D;
}
