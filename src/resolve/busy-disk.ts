import { SvirtError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { FileId } from "../plan/facts/file.ts";
import { BY_NUMBER, listRelated } from "./related-devices.ts";

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

/**
 * Throws "wrong-state" if a block device, its partition or the disk that it is a partition of is mounted, used as swap or part of another
 * device.
 */
export function refuseBusyDisk(
  host: Host,
  { node = "", path }: Pick<FileId, "node" | "path">,
  attempt = `let a guest write ${path}`,
): void {
  const use = readDiskUse(host);
  const own = { name: path, folder: `${BY_NUMBER}/${node}`, number: node, is: undefined };
  const busy = [own, ...listRelated(host, { node })].find(
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
