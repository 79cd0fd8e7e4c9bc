import { SvirtError, unlessRefused } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import type { Host } from "../../host/host.ts";

/** Block device of the host that is a volume of a pool. */
export interface PoolDevice {
  readonly name: string;
  /** Identifier of the device, or its path. */
  readonly key: string;
  /** Path in the pool's target, which may be a symbolic link to the device's node. */
  readonly path: string;
  /** Facts about the device's node. */
  readonly facts: FileFacts;
  /** Place of a partition on its disk, in bytes; absent: it is none. */
  readonly extent?: { readonly device: string; readonly start: number; readonly end: number };
}

/** Unit in which the kernel counts the size of a disk. Documentation/ABI/stable/sysfs-block of Linux */
const SECTOR_BYTES = 512;

/**
 * Returns the block device at a path, if it is the one that sysfs describes in a folder; undefined without such a node. A name may
 * lead to another device since the look at sysfs.
 */
export function nodeAt(host: Host, path: string, folder: string): FileFacts | undefined {
  const number = host.readText(`${folder}/dev`)?.trim();
  const facts = host.inspectFile(path);
  return facts?.type === "block" && number !== undefined && facts.id.node === number ? facts : undefined;
}

/** Returns the size of a block device in bytes, as the kernel knows it, without access to the device; 0 if it does not report it. */
export function deviceBytes(host: Host, { id }: Pick<FileFacts, "id">): number {
  const sectors = Number(host.readText(`/sys/dev/block/${id.node}/size`)?.trim());
  return Number.isSafeInteger(sectors) && sectors > 0 ? sectors * SECTOR_BYTES : 0;
}

/**
 * Returns the path of a device in the pool's target: the entry that leads to the device's node, or the node itself in /dev.
 * Undefined if no entry does. Throws "usage" for a target elsewhere. virStorageBackendStablePath() of libvirt
 */
export function stablePath(host: Host, target: string, name: string): string | undefined {
  const node = `/dev/${name}`;
  if (target === "/dev") return node;
  if (!target.startsWith("/dev/")) throw unusableTarget(target, name);
  const path = host.inspectFile(node)?.id.path;
  if (path === undefined) return undefined;
  const entry = host
    .listFolder(target)
    .find((one) => unlessRefused(() => host.inspectFile(`${target}/${one}`))?.id.path === path);
  return entry === undefined ? undefined : `${target}/${entry}`;
}

function unusableTarget(target: string, name: string): SvirtError {
  return new SvirtError(`invalid argument: unable to use target path '${target}' for dev '${name}'`, {
    kind: "usage",
    libvirt: "INVALID_ARG",
    place: "/pool/target/path",
    remedy: "Write <path>/dev/disk/by-path</path>, or <path>/dev</path> on a host without udevd.",
  });
}
