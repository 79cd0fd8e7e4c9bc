import type { Disk } from "../../domain/devices/disk/disk.ts";
import { isDiskNamed } from "../../domain/devices/disk/facts.ts";
import { imagePath } from "../../domain/devices/disk/images.ts";
import { encryptionOf, isDecryptedByQemu } from "../../domain/devices/disk/secrets.ts";
import { SvirtError } from "../../errors.ts";
import { parseImageFormat } from "../../images/header.ts";
import { inspectExisting } from "../../labelling/free-file.ts";
import { imageSize, physicalSize } from "../../resolve/image-size.ts";
import type { Instance } from "../../state/instance.ts";
import { formOf } from "../guest/domain-form.ts";
import { findDomain } from "../guest/find-domain.ts";

/** Sizes of a disk's own image, in bytes. */
export interface DiskSizes {
  readonly target: string;
  /**
   * Size visible to the guest. All are undefined for an empty drive, or for an image outside files and
   * devices.
   */
  readonly capacity: number | undefined;
  /** Space used on the host. */
  readonly allocation: number | undefined;
  /** Length of the file or device. */
  readonly physical: number | undefined;
}

/**
 * Returns the sizes of each disk of a domain, as it runs or as it is defined. Throws "not-found", "failed".
 */
export function listDiskSizes(instance: Instance, key: string): DiskSizes[] {
  return disksOf(instance, key).map((disk) => sizesOf(instance, disk));
}

/** Returns the sizes of a disk by its target or source. Throws as findDisk(), "failed". */
export function findDiskSizes(instance: Instance, key: string, name: string): DiskSizes {
  return sizesOf(instance, findDisk(instance, key, name));
}

/**
 * Returns a disk of a domain, as it runs or as it is defined, by its target or source. Throws "not-found"
 * with libvirt's message.
 */
export function findDisk(instance: Instance, key: string, name: string): Disk {
  const disk = disksOf(instance, key).find((one) => isDiskNamed(one, name));
  if (disk !== undefined) return disk;
  throw new SvirtError(`invalid argument: invalid path ${name} not assigned to domain`, {
    kind: "not-found",
    libvirt: "INVALID_ARG",
    remedy: `svirt domblklist ${key} lists the disks.`,
  });
}

function disksOf(instance: Instance, key: string): readonly Disk[] {
  return formOf(instance, findDomain(instance, key), "running").devices.disks;
}

/** The allocation of a device is its whole size. virStorageSourceUpdateBackingSizes() of libvirt */
function sizesOf(instance: Instance, disk: Disk): DiskSizes {
  const target = disk.target.dev;
  const path = imagePath(disk);
  if (path === undefined) {
    return { target, capacity: undefined, allocation: undefined, physical: undefined };
  }
  const facts = inspectExisting(instance, path);
  const encrypted = isDecryptedByQemu(encryptionOf(disk)) ? { isEncrypted: true as const } : {};
  const image = { path, facts, format: parseImageFormat(disk.driver?.type ?? "raw"), ...encrypted };
  const physical = physicalSize(instance, image);
  const allocation = facts.type === "file" ? facts.allocatedBytes : physical;
  return { target, capacity: imageSize(instance, image), allocation, physical };
}
