import { SvirtError } from "../../errors.ts";
import { physicalSize } from "../../resolve/image-size.ts";
import { refuseSilentPaths } from "../../resolve/silent-server.ts";
import type { Instance } from "../../state/instance.ts";
import { tellMonitor } from "../guest/guest-monitor.ts";
import { withFinishedJobs } from "./jobs.ts";
import { findRunningDisk, listImagePaths, type RunningDisk } from "./running-disk.ts";

/** Sectors of QEMU's sizes of images with tables. BDRV_SECTOR_SIZE of qemu.git */
const SECTOR_BYTES = 512;

/** New size of a disk. */
export interface DiskResize {
  /** The disk's target or source. */
  readonly path: string;
  /** Undefined with `isCapacity`: the device's size. */
  readonly sizeBytes: number | undefined;
  /** The disk gets the whole size of its block device. */
  readonly isCapacity: boolean;
}

/**
 * Changes the size of a running guest's disk, visible to the guest immediately; a smaller size cuts off its
 * end. Throws "not-found", "wrong-state" if it is off or has a job on the disk, "unsupported", and QEMU's
 * error. qemuDomainBlockResize() of libvirt
 */
export async function resizeDisk(instance: Instance, key: string, resize: DiskResize): Promise<void> {
  await withFinishedJobs(instance, key, async (guest) => {
    await refuseSilentPaths(instance.host, listImagePaths(guest));
    const disk = findRunningDisk(instance, guest, resize.path);
    const [{ layer }] = disk.images;
    const size = sizeFor(instance, disk, resize);
    await tellMonitor(instance, guest.uuid, {
      execute: "block_resize",
      arguments: { "node-name": layer.node, size },
    });
  });
}

function sizeFor(instance: Instance, { images: [{ found }] }: RunningDisk, resize: DiskResize): number {
  const { isCapacity, sizeBytes } = resize;
  if (isCapacity) return capacityFor(instance, found, sizeBytes);
  if (sizeBytes === undefined)
    throw new SvirtError("invalid argument: the new size is missing", {
      kind: "usage",
      remedy: "Name it, or --capacity for that of a block device.",
    });
  // libvirt rounds sizes of these formats up. LUKS encrypts whole sectors.
  return found.format === "raw" && found.isEncrypted !== true
    ? sizeBytes
    : Math.ceil(sizeBytes / SECTOR_BYTES) * SECTOR_BYTES;
}

function capacityFor(
  instance: Instance,
  found: RunningDisk["images"][0]["found"],
  sizeBytes: number | undefined,
): number {
  // A device with LUKS has a header in front of the guest's data.
  if (found.format !== "raw" || found.storage !== "block" || found.isEncrypted === true) {
    throw new SvirtError(
      "Operation not supported: block resize to full capacity supported only with 'raw' local block-based disks",
      {
        kind: "unsupported",
        libvirt: "OPERATION_UNSUPPORTED",
        remedy: "Name the size instead of --capacity.",
      },
    );
  }
  const physicalBytes = physicalSize(instance, found);
  if (sizeBytes === undefined || sizeBytes === physicalBytes) return physicalBytes;
  throw new SvirtError(
    `invalid argument: Requested resize to '${sizeBytes}' but device size is '${physicalBytes}'`,
    { kind: "usage", remedy: "Leave the size or --capacity out." },
  );
}
