import { SvirtError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { FileId } from "../plan/facts/file.ts";

const BY_NUMBER = "/sys/dev/block";

/** Use of block devices by the host. */
export interface DiskUse {
  /** Device numbers and sources of mounts: some file systems have numbers of their own. proc_pid_mountinfo(5) */
  readonly mounts: ReadonlySet<string>;
  /** Paths of the device nodes of swap. proc_swaps(5) */
  readonly swaps: ReadonlySet<string>;
}

/** Reads the mounts and the swap devices. */
export function readDiskUse(host: Host): DiskUse {
  const mounts = linesOf(host, "/proc/self/mountinfo").flatMap((line) => {
    const words = line.split(" ");
    // Optional fields end with a hyphen; type and source come after it.
    return [words[2] ?? "", words[words.indexOf("-") + 2] ?? ""];
  });
  const swaps = linesOf(host, "/proc/swaps").map((line) => line.split(/\s/)[0] ?? "");
  return { mounts: new Set(mounts), swaps: new Set(swaps) };
}

/** Block device: its node, its folder in sysfs, and its number. */
interface KnownDevice {
  readonly name: string;
  readonly folder: string;
  readonly number: string;
  /** Relation to the device that was asked for. */
  readonly is: "partition" | "disk";
}

/** Lists the partitions of a disk, or the disk of a partition. */
export function listRelated(host: Host, { node = "" }: Pick<FileId, "node">): readonly KnownDevice[] {
  const folder = `${BY_NUMBER}/${node}`;
  const at = (above: string, name: string, is: KnownDevice["is"]): KnownDevice => ({
    name: `/dev/${name}`,
    folder: above,
    number: host.readText(`${above}/dev`)?.trim() ?? "",
    is,
  });
  if (host.readText(`${folder}/partition`) !== undefined) {
    const path = host.inspectFile(folder)?.id.path ?? "";
    const above = path.slice(0, path.lastIndexOf("/"));
    return above === "" ? [] : [at(above, above.slice(above.lastIndexOf("/") + 1), "disk")];
  }
  return host
    .listFolder(folder)
    .filter((name) => host.readText(`${folder}/${name}/partition`) !== undefined)
    .map((name) => at(`${folder}/${name}`, name, "partition"));
}

/**
 * Throws "wrong-state" if a block device, its partition or the disk that it is a partition of is mounted, used as swap or part of another
 * device.
 */
export function refuseBusyDisk(
  host: Host,
  { node = "", path }: Pick<FileId, "node" | "path">,
  attempt = `let a guest write ${path}`,
): void {
  refuseBusy(host, [ownDevice({ node, path }), ...listRelated(host, { node })], attempt);
}

/** Throws "wrong-state" as refuseBusyDisk(), whatever is done with partitions of the device. */
export function refuseBusyWhole(
  host: Host,
  { node = "", path }: Pick<FileId, "node" | "path">,
  attempt: string,
): void {
  refuseBusy(host, [ownDevice({ node, path })], attempt);
}

/** Device whose use is looked up; its relation is that to another one. */
type Examined = Omit<KnownDevice, "is"> & { readonly is: KnownDevice["is"] | undefined };

function ownDevice({ node, path }: { readonly node: string; readonly path: string }): Examined {
  return { name: path, folder: `${BY_NUMBER}/${node}`, number: node, is: undefined };
}

function refuseBusy(host: Host, devices: readonly Examined[], attempt: string): void {
  const use = readDiskUse(host);
  const busy = devices.find(
    (one) =>
      [one.number, one.name].some((known) => use.mounts.has(known)) ||
      use.swaps.has(one.name) ||
      host.listFolder(`${one.folder}/holders`).length > 0,
  );
  if (busy === undefined) return;
  const what = busy.is === undefined ? "the host uses it" : `the host uses its ${busy.is} ${busy.name}`;
  throw new SvirtError(`Cannot ${attempt}: ${what} (as a mount, as swap, or as part of another device)`, {
    kind: "wrong-state",
    remedy: "Stop using the device on the host, or name another device.",
  });
}

function linesOf(host: Host, path: string): readonly string[] {
  return (host.readText(path) ?? "").split("\n");
}
