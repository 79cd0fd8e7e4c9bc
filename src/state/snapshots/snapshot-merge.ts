import { SvirtError, unlessRefused } from "../../errors.ts";
import type { Instance } from "../instance.ts";
import type { SnapshotMerge } from "./snapshot-schema.ts";

export type { SnapshotMerge } from "./snapshot-schema.ts";

/** Disk of a merge. */
export type MergedDisk = SnapshotMerge["disks"][number];

const SUFFIX = ".merge";

/** Lists the UUIDs of the domains with an unfinished merge of a snapshot. */
export function listSnapshotMerges({ host, paths }: Instance): readonly string[] {
  return host
    .listFolder(folder(paths))
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length));
}

/** Returns the unfinished merge of a domain's snapshot. Throws "failed" if its file is damaged. */
export function readSnapshotMerge(instance: Instance, uuid: string): SnapshotMerge | undefined {
  const path = fileOf(instance, uuid);
  const text = instance.host.readText(path);
  if (text === undefined) return undefined;
  try {
    const { parseSnapshotMerge }: typeof import("./snapshot-schema.ts") = require("./snapshot-schema.ts");
    return parseSnapshotMerge(text);
  } catch (cause) {
    throw new SvirtError(`Cannot read the merge of a snapshot ${path}: the file is damaged`, {
      kind: "failed",
      remedy: "Move it to another folder, and delete the snapshot again; do not revert to it.",
      cause,
    });
  }
}

/** Writes the merge to disk before it returns. */
export function writeSnapshotMerge(instance: Instance, uuid: string, merge: SnapshotMerge): void {
  const { host, paths } = instance;
  host.makeFolder({ path: folder(paths), mode: 0o700 });
  host.writeText(fileOf(instance, uuid), `${JSON.stringify(merge)}\n`, 0o600);
}

/** Notes QEMU's commit of the overlay of a disk, removed from the guest. May be repeated. */
export function noteMerged(instance: Instance, uuid: string, target: string): void {
  const merge = readSnapshotMerge(instance, uuid);
  if (merge === undefined) return;
  const disks = merge.disks.map((disk) =>
    disk.target === target ? { ...disk, isMerged: true as const } : disk,
  );
  writeSnapshotMerge(instance, uuid, { ...merge, disks });
}

/** Removes the merge of a removed snapshot, or of unchanged images. */
export function removeSnapshotMerge(instance: Instance, uuid: string): void {
  instance.host.removeFile(fileOf(instance, uuid));
}

/** Whether svirt has started a domain's guest only to merge a snapshot. A damaged file does not tell. */
export function isForMerge(instance: Instance, uuid: string): boolean {
  return unlessRefused(() => readSnapshotMerge(instance, uuid))?.starts === true;
}

/**
 * Throws "wrong-state" with libvirt's message for a snapshot whose images are no longer its own.
 * qemuSnapshotRevertValidate() of libvirt
 */
export function refuseMerging(instance: Instance, uuid: string, name: string): void {
  const merge = readSnapshotMerge(instance, uuid);
  if (merge?.name !== name) return;
  const target = merge.disks.find(({ isMerged }) => isMerged !== true)?.target ?? merge.disks[0]?.target;
  throw new SvirtError(
    `Requested operation is not valid: snapshot disk '${target ?? ""}' was target of not completed snapshot delete`,
    { kind: "wrong-state", remedy: `Delete it again: svirt snapshot-delete DOMAIN ${name}` },
  );
}

function folder({ state }: Instance["paths"]): string {
  return `${state}/snapshot-changes`;
}

function fileOf({ paths }: Pick<Instance, "paths">, uuid: string): string {
  return `${folder(paths)}/${uuid}${SUFFIX}`;
}
