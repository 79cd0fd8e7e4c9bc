import { SvirtError, unlessRefused } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import type { Host } from "../../host/host.ts";

/** Block device of the host as a volume of a pool. */
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

/** Largest exactly counted size. A target may report any. */
export const MOST_BYTES = Number.MAX_SAFE_INTEGER;

/**
 * Returns the block device at a path, if sysfs describes it in a folder; undefined without such a node. A
 * name may lead to another device since the look at sysfs.
 */
export function nodeAt(host: Host, path: string, folder: string): FileFacts | undefined {
  const number = host.readText(`${folder}/dev`)?.trim();
  const facts = host.inspectFile(path);
  return facts?.type === "block" && number !== undefined && facts.id.node === number ? facts : undefined;
}

/**
 * Returns the result of a look at a device by its folder in sysfs; undefined if the look fails since the
 * device has gone meanwhile. Throws the error of any other failure.
 */
export function unlessGone<Result>(host: Host, folder: string, look: () => Result): Result | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof SvirtError && host.inspectFile(folder) === undefined) return undefined;
    throw error;
  }
}

/**
 * Returns the size of a block device in bytes, as the kernel knows it, without access to the device; 0 if it
 * does not report it.
 */
export function deviceBytes(host: Host, { id }: Pick<FileFacts, "id">): number {
  const sectors = Number(host.readText(`/sys/dev/block/${id.node}/size`)?.trim());
  return sectors > 0 ? Math.min(sectors * SECTOR_BYTES, MOST_BYTES) : 0;
}

/** Path of the named device in a pool's target; undefined if no path leads to it. */
export type StablePath = (name: string) => string | undefined;

/**
 * Returns the paths of devices in the pool's target: the entry that leads to the device's node, or the node
 * itself in /dev. The target is read once, since it may have thousands of entries. The result throws "usage"
 * for a target elsewhere. virStorageBackendStablePath() of libvirt
 */
export function stablePaths(host: Host, target: string): StablePath {
  if (target === "/dev") return (name) => `/dev/${name}`;
  let entries: ReadonlyMap<string, string> | undefined;
  return (name) => {
    if (!target.startsWith("/dev/")) throw unusableTarget(target, name);
    entries ??= listEntries(host, target);
    return entries.get(host.inspectFile(`/dev/${name}`)?.id.path ?? "");
  };
}

/** Returns the entries of a folder by the paths that they lead to. Of several the first counts. */
function listEntries(host: Host, folder: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const name of host.listFolder(folder)) {
    const path = unlessRefused(() => host.inspectFile(`${folder}/${name}`))?.id.path;
    if (path !== undefined && !found.has(path)) found.set(path, `${folder}/${name}`);
  }
  return found;
}

function unusableTarget(target: string, name: string): SvirtError {
  return new SvirtError(`invalid argument: unable to use target path '${target}' for dev '${name}'`, {
    kind: "usage",
    libvirt: "INVALID_ARG",
    from: "STORAGE",
    place: "/pool/target/path",
    remedy: "Write <path>/dev/disk/by-path</path>, or <path>/dev</path> on a host without udevd.",
  });
}
