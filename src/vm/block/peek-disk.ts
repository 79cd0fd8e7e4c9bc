import { imagePath } from "../../domain/devices/disk/images.ts";
import { SvirtError } from "../../errors.ts";
import { inspect, missing, wrongType } from "../../resolve/inspect-file.ts";
import { refuseWritten } from "../../resolve/places/writable-places.ts";
import type { Instance } from "../../state/instance.ts";
import { findDisk } from "./disk-sizes.ts";

/** Part of a disk, in bytes. */
interface DiskPart {
  readonly offset: number;
  readonly length: number;
}

/**
 * Returns bytes of a raw disk of a domain, by the disk's target or source. Throws as findDisk() and
 * inspect(); "unsupported" for another format, since its bytes are not the guest's; "failed" beyond the end;
 * for a restricted key "denied" for a file closed to guests, and "wrong-state" for a disk of the host.
 * qemuDomainBlockPeek() of libvirt
 */
export function peekDisk(
  instance: Instance,
  { disk: named, domain }: { readonly domain: string; readonly disk: string },
  { length, offset }: DiskPart,
): Uint8Array {
  const disk = findDisk(instance, domain, named);
  const format = disk.driver?.type ?? "raw";
  const path = imagePath(disk);
  if (path === undefined) throw notRaw("no file or device on this host");
  if (format !== "raw") throw notRaw(`not '${format}'`);
  const facts = inspect(instance.host, path);
  if (facts === undefined) throw missing(path);
  const { id, type } = facts;
  if (type !== "file" && type !== "block") throw wrongType(path, type);
  // A definition may name any path, which only a start checks: a restricted key must not read the host's
  // files and disks.
  if (instance.isForKey === true) refuseWritten(instance.host, facts);
  const bytes = instance.host.readBytes(id, offset, length);
  if (bytes.length === length) return bytes;
  throw new SvirtError(`operation failed: ${path} ends before offset ${offset + length}`, {
    kind: "failed",
    libvirt: "OPERATION_FAILED",
    remedy: "Read less: svirt domblkinfo DOMAIN DISK shows the size.",
  });
}

function notRaw(found: string): SvirtError {
  return new SvirtError(
    `Operation not supported: peeking is only supported for disk with 'raw' format ${found}`,
    {
      kind: "unsupported",
      libvirt: "OPERATION_UNSUPPORTED",
      remedy: "Read the image while the domain is off: qemu-img dd, or svirt vol-download.",
    },
  );
}
