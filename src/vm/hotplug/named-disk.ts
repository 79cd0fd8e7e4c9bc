import type { Disk } from "../../domain/devices/disk/disk.ts";
import { isDiskNamed } from "../../domain/devices/disk/facts.ts";
import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import type { Ask } from "../change/change-domain.ts";
import { decideImpact } from "../change/impact.ts";
import { formOf } from "../guest/domain-form.ts";
import { findDomain } from "../guest/find-domain.ts";

/**
 * Returns the disk with that target or source path; with `isDrive`, among drives with media only. Throws
 * "not-found" with virsh's message. virshFindDisk()
 */
export function findNamedDisk(
  instance: Instance,
  { key, options }: Ask,
  { isDrive, name }: { readonly name: string; readonly isDrive: boolean },
): Disk {
  const { disks } = formOf(instance, decideImpact(findDomain(instance, key), options), "running").devices;
  const found = disks.find((disk) => (!isDrive || isChangeable(disk)) && isDiskNamed(disk, name));
  if (found !== undefined) return found;
  throw new SvirtError(`No disk found whose source path or target is ${name}`, {
    kind: "not-found",
    libvirt: "DEVICE_MISSING",
    remedy: `svirt domblklist ${key} lists the disks.`,
  });
}

function isChangeable({ device }: Disk): boolean {
  return device === "cdrom" || device === "floppy";
}
