import { SvirtError } from "../../errors.ts";
import type { StepOf } from "../../plan/steps/step.ts";
import type { Instance } from "../instance.ts";
import { replaceStep } from "../text-step.ts";
import type { SnapshotTree } from "./snapshot-schema.ts";

export type { SnapshotTree, StoredSnapshot } from "./snapshot-schema.ts";

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
  const text = formatTree(tree);
  if (text === undefined) {
    host.removeFile(path);
    return;
  }
  host.makeFolder({ path: treesFolder(paths), mode: 0o700 });
  host.writeText(path, text, 0o600);
}

/** Returns the step that writes the snapshots of a domain, or without any removes their file. */
export function snapshotsStep(instance: Instance, uuid: string, tree: SnapshotTree): StepOf<"replace-text"> {
  return replaceStep(instance.host, snapshotsFile(instance, uuid), formatTree(tree));
}

function formatTree(tree: SnapshotTree): string | undefined {
  return tree.snapshots.length === 0 ? undefined : `${JSON.stringify(tree)}\n`;
}

/** Removes the data of all snapshots of a domain; their images stay. */
export function removeSnapshots(instance: Instance, uuid: string): void {
  writeSnapshots(instance, uuid, NONE);
}

// Loaded on demand: few commands read snapshots.
function parseTree(text: string): SnapshotTree {
  const { parseSnapshotTree }: typeof import("./snapshot-schema.ts") = require("./snapshot-schema.ts");
  return parseSnapshotTree(text);
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

function treesFolder({ state }: Instance["paths"]): string {
  return `${state}/snapshots`;
}
