import { SvirtError } from "../../errors.ts";
import type { Instance } from "../instance.ts";
import type { SnapshotChange, SnapshotTree } from "./snapshot-schema.ts";

export type { SnapshotChange, SnapshotTree, StoredSnapshot } from "./snapshot-schema.ts";

const SUFFIX = ".json";
const NONE: SnapshotTree = { snapshots: [] };

/** Lists the UUIDs of the domains with snapshots. */
export function listSnapshotOwners({ host, paths }: Instance): readonly string[] {
  return uuidsIn(host.listFolder(treesFolder(paths)));
}

/** Returns whether a domain has snapshots. */
export function hasSnapshots(instance: Instance, uuid: string): boolean {
  return instance.host.inspectFile(snapshotsFile(instance, uuid)) !== undefined;
}

/** Returns the snapshots of a domain. Throws "failed" if their file is damaged. */
export function readSnapshots(instance: Instance, uuid: string): SnapshotTree {
  const path = snapshotsFile(instance, uuid);
  const text = instance.host.readText(path);
  return text === undefined ? NONE : parse(path, () => parseTree(text));
}

/** Writes the snapshots of a domain to disk before it returns. */
export function writeSnapshots({ host, paths }: Instance, uuid: string, tree: SnapshotTree): void {
  const path = snapshotsFile({ paths }, uuid);
  if (tree.snapshots.length === 0) {
    host.removeFile(path);
    return;
  }
  host.makeFolder({ path: treesFolder(paths), mode: 0o700 });
  host.writeText(path, `${JSON.stringify(tree)}\n`, 0o600);
}

/** Removes the data of all snapshots of a domain; their images stay. */
export function removeSnapshots(instance: Instance, uuid: string): void {
  writeSnapshots(instance, uuid, NONE);
}

/** Lists the UUIDs of the domains with an unfinished change of their images. */
export function listSnapshotChanges({ host, paths }: Instance): readonly string[] {
  return uuidsIn(host.listFolder(changesFolder(paths)));
}

/** Returns whether a change of images, or a deletion of a snapshot, may be unfinished. */
export function hasUnsettled({ host, paths }: Instance): boolean {
  return host.listFolder(changesFolder(paths)).length > 0;
}

/** Returns the unfinished change of a domain. Throws "failed" if its file is damaged. */
export function readSnapshotChange(instance: Instance, uuid: string): SnapshotChange | undefined {
  const path = changeFile(instance, uuid);
  const text = instance.host.readText(path);
  return text === undefined ? undefined : parse(path, () => parseChange(text));
}

/** Writes the change to disk before it returns. */
export function writeSnapshotChange({ host, paths }: Instance, uuid: string, change: SnapshotChange): void {
  host.makeFolder({ path: changesFolder(paths), mode: 0o700 });
  host.writeText(changeFile({ paths }, uuid), `${JSON.stringify(change)}\n`, 0o600);
}

/** Removes a change made or undone. */
export function removeSnapshotChange(instance: Instance, uuid: string): void {
  instance.host.removeFile(changeFile(instance, uuid));
}

// Loaded on demand: few commands read snapshots.
function parseTree(text: string): SnapshotTree {
  const { parseSnapshotTree }: typeof import("./snapshot-schema.ts") = require("./snapshot-schema.ts");
  return parseSnapshotTree(text);
}

function parseChange(text: string): SnapshotChange {
  const { parseSnapshotChange }: typeof import("./snapshot-schema.ts") = require("./snapshot-schema.ts");
  return parseSnapshotChange(text);
}

/** Returns the error of a file with damaged XML of a snapshot. */
export function damagedSnapshots(
  { paths }: Instance,
  uuid: string,
  { cause, name }: { readonly name: string; readonly cause: SvirtError },
): SvirtError {
  return damaged(snapshotsFile({ paths }, uuid), `the snapshot ${name} is damaged: ${cause.message}`, cause);
}

function parse<Value>(path: string, read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    throw damaged(path, "the file is damaged", cause);
  }
}

function damaged(path: string, why: string, cause: unknown): SvirtError {
  return new SvirtError(`Cannot read the snapshots ${path}: ${why}`, {
    kind: "failed",
    remedy: "Move it to another folder: the images stay, and the domain then has no snapshots.",
    cause,
  });
}

function uuidsIn(files: readonly string[]): readonly string[] {
  return files.filter((name) => name.endsWith(SUFFIX)).map((name) => name.slice(0, -SUFFIX.length));
}

/** Returns the path of the file with all snapshots of a domain. */
export function snapshotsFile({ paths }: Pick<Instance, "paths">, uuid: string): string {
  return `${treesFolder(paths)}/${uuid}${SUFFIX}`;
}

function changeFile({ paths }: Pick<Instance, "paths">, uuid: string): string {
  return `${changesFolder(paths)}/${uuid}${SUFFIX}`;
}

function treesFolder({ state }: Instance["paths"]): string {
  return `${state}/snapshots`;
}

function changesFolder({ state }: Instance["paths"]): string {
  return `${state}/snapshot-changes`;
}
