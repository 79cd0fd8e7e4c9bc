import type { Disk } from "../../domain/devices/disk/disk.ts";
import { isDiskNamed } from "../../domain/devices/disk/facts.ts";
import { imagePath } from "../../domain/devices/disk/images.ts";
import { parseDomainText } from "../../domain/document.ts";
import { SvirtError } from "../../errors.ts";
import { parseImageFormat } from "../../images/header.ts";
import { inspectExisting } from "../../labelling/free-file.ts";
import { imageSize, physicalSize } from "../../resolve/image-size.ts";
import type { Node } from "../../state/instance.ts";
import { findDomain } from "../guest/find-domain.ts";

/** How large a disk's own image is. */
export interface DiskSizes {
  readonly target: string;
  /** The guest's view; all undefined for a drive that is empty, or an image that is no file or device. */
  readonly capacity: number | undefined;
  /** What is taken up on the host. */
  readonly allocation: number | undefined;
  /** How long the file or the device is. */
  readonly physical: number | undefined;
}

/** Of each disk of a domain, as it runs or as it is defined. Throws "not-found", "failed". */
export function listDiskSizes(node: Node, key: string): DiskSizes[] {
  return disksOf(node, key).map((disk) => sizesOf(node, disk));
}

/** Of the disk that somebody names by its target or its source. Throws "not-found" in libvirt's words, "failed". */
export function findDiskSizes(node: Node, key: string, name: string): DiskSizes {
  const disk = disksOf(node, key).find((one) => isDiskNamed(one, name));
  if (disk !== undefined) return sizesOf(node, disk);
  throw new SvirtError(`invalid argument: invalid path ${name} not assigned to domain`, {
    kind: "not-found",
    remedy: `svirt domblklist ${key} shows the disks there are.`,
  });
}

function disksOf(node: Node, key: string): readonly Disk[] {
  const { definition, guest } = findDomain(node, key);
  return parseDomainText(guest?.xml ?? definition?.xml ?? "").devices.disks;
}

/** A device takes up all of itself. virStorageSourceUpdateBackingSizes() of libvirt */
function sizesOf(node: Node, disk: Disk): DiskSizes {
  const target = disk.target.dev;
  const path = imagePath(disk);
  if (path === undefined) {
    return { target, capacity: undefined, allocation: undefined, physical: undefined };
  }
  const facts = inspectExisting(node, path);
  const image = { path, facts, format: parseImageFormat(disk.driver?.type ?? "raw") };
  const physical = physicalSize(node, image);
  const allocation = facts.type === "file" ? facts.allocatedBytes : physical;
  return { target, capacity: imageSize(node, image), allocation, physical };
}
