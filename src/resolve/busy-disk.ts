import { SvirtError, unlessRefused } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { FileId } from "../plan/facts/file.ts";
import { BY_NUMBER, listRelated, listWholes, type RelatedDevice } from "./related-devices.ts";

/** Numbers and names of the block devices that the host has mounted or swaps to. */
export type DiskUse = ReadonlySet<string>;

/**
 * Device used by the host, and its relation to the requested device; undefined: it is the requested device.
 */
type UsedDevice = Pick<RelatedDevice, "name"> & { readonly is: RelatedDevice["is"] | undefined };

/** A FUSE mount: an ordinary user chooses its source. fusermount3(1) */
const FUSE = /^fuse(?:\.|$)/;

/**
 * Reads the mounts and the swap devices. Some file systems, such as btrfs, have numbers of their own, and the
 * source may be any name of the device. proc_pid_mountinfo(5), proc_swaps(5)
 */
export function readDiskUse(host: Host): DiskUse {
  const mounts = linesOf(host, "/proc/self/mountinfo").map((line) => {
    const words = line.split(" ");
    // Optional fields end with a hyphen; type and source come after it.
    const [type = "", source = ""] = words.slice(words.indexOf("-") + 1);
    return { number: words[2] ?? "", source: FUSE.test(type) ? "" : source };
  });
  const sources = mounts.map(({ source }) => source);
  const swaps = linesOf(host, "/proc/swaps").map((line) => line.split(/\s/)[0] ?? "");
  const names = [...new Set([...sources, ...swaps])].filter((name) => name.startsWith("/dev/"));
  const numbers = names.flatMap((name) => unlessRefused(() => host.inspectFile(name))?.id.node ?? []);
  return new Set([...mounts.map(({ number }) => number), ...names, ...numbers]);
}

/** Whether the host has mounted a block device, swaps to it, or has made it part of another device. */
export function isInUse(
  host: Host,
  use: DiskUse,
  { folder, name, number }: Pick<RelatedDevice, "folder" | "name" | "number">,
): boolean {
  return (
    (number !== "" && use.has(number)) || use.has(name) || host.listFolder(`${folder}/holders`).length > 0
  );
}

/**
 * Throws "wrong-state" if a block device, its partition or the disk that it is a partition of is mounted,
 * used as swap or part of another device.
 */
export function refuseBusyDisk(
  host: Host,
  { node = "", path }: Pick<FileId, "node" | "path">,
  attempt = `let a guest write ${path}`,
): void {
  refuseBusy(findUsed(host, readDiskUse(host), { node, path }), attempt);
}

/**
 * Throws "wrong-state" as refuseBusyDisk(), whatever is done with partitions of the device and of its other
 * paths.
 */
export function refuseBusyWhole(
  host: Host,
  { node = "", path }: Pick<FileId, "node" | "path">,
  attempt: string,
): void {
  const use = readDiskUse(host);
  const wholes = [ownDevice({ node, path }), ...listWholes(host, { node })];
  refuseBusy(
    wholes.find((one) => isInUse(host, use, one)),
    attempt,
  );
}

function refuseBusy(busy: UsedDevice | undefined, attempt: string): void {
  if (busy === undefined) return;
  const what = busy.is === undefined ? "the host uses it" : `the host uses its ${busy.is} ${busy.name}`;
  throw new SvirtError(`Cannot ${attempt}: ${what} (as a mount, as swap, or as part of another device)`, {
    kind: "wrong-state",
    remedy: "Stop using the device on the host, or name another device.",
  });
}

/**
 * Returns the first of a block device, its partitions, its disk and its generic node that the host uses;
 * undefined if it uses none.
 */
export function findUsed(
  host: Host,
  use: DiskUse,
  { node = "", path }: Pick<FileId, "node" | "path">,
): UsedDevice | undefined {
  return [ownDevice({ node, path }), ...listRelated(host, { node })].find((one) => isInUse(host, use, one));
}

function ownDevice({ node, path }: { readonly node: string; readonly path: string }) {
  return { name: path, folder: `${BY_NUMBER}/${node}`, number: node, is: undefined };
}

function linesOf(host: Host, path: string): readonly string[] {
  return (host.readText(path) ?? "").split("\n");
}
