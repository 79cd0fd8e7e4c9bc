import { SvirtError } from "../../errors.ts";
import type { RecordedChange } from "../../plan/change/object-change.ts";
import { type ChangedObject, OBJECT_KINDS, type ObjectKind } from "../../plan/change/object-kinds.ts";
import { stagedPath } from "../../plan/partial-names.ts";
import { removeText } from "../../run/remove-text.ts";
import type { Instance } from "../instance.ts";
import { isWritten } from "../record.ts";

// Rule: A change of another object than a guest is recorded before its first step.

const ENDING = ".json";

/**
 * Writes the record of a change to disk before it returns. It is beside the definitions, since it must
 * outlive a boot if they do. If the disk refuses, for lack of space or as it is read-only, the record is in
 * /run: a network must end all the same.
 */
export function writeChange(instance: Instance, change: RecordedChange): void {
  const { formatRecord }: typeof import("./change-schema.ts") = require("./change-schema.ts");
  const text = formatRecord(change);
  const [disk = "", boot = ""] = pathsOf(instance, change.object);
  const [onDisk, inRun] = foldersOf(instance);
  const { host } = instance;
  const isOnDisk = isWritten(() => {
    host.makeFolder({ path: onDisk, mode: 0o700 });
    host.writeText(disk, text, 0o600);
  });
  if (isOnDisk) return;
  host.makeFolder({ path: inRun, mode: 0o700 });
  host.writeText(boot, text, 0o600);
}

/** Removes the record of a change that is done or undone, and what an interrupted writeChange() has left. */
export function removeChange({ host, paths }: Instance, object: ChangedObject): void {
  for (const path of pathsOf({ paths }, object)) removeText(host, path);
}

/**
 * Returns the change of an object that is not finished; undefined if there is none. Throws "failed" if its
 * record is damaged.
 */
export function readChange(instance: Instance, object: ChangedObject): RecordedChange | undefined {
  for (const path of pathsOf(instance, object)) {
    const text = instance.host.readText(path);
    if (text !== undefined) return parse(path, text);
  }
  return undefined;
}

/** Lists the objects with a record of a change, or with a part of one. */
export function listChanged(
  { host, paths }: Instance,
  kinds: readonly ObjectKind[],
): readonly ChangedObject[] {
  const names = foldersOf({ paths }).flatMap((folder) => host.listFolder(folder));
  return kinds.flatMap((kind) => {
    const keys = names.flatMap((name) => keyIn(name, kind) ?? []);
    return [...new Set(keys)].sort().map((key) => ({ kind, key }));
  });
}

/** Reports whether an object has a record of a change. Without it, no module of the recovery is needed. */
export function hasChanges(instance: Instance, kinds: readonly ObjectKind[] = OBJECT_KINDS): boolean {
  return listChanged(instance, kinds).length > 0;
}

/** Returns the path of the record of an object's change. */
export function changePath(instance: Pick<Instance, "paths">, object: ChangedObject): string {
  return pathsOf(instance, object)[0] ?? "";
}

function parse(path: string, text: string): RecordedChange {
  try {
    const { parseChange }: typeof import("./change-schema.ts") = require("./change-schema.ts");
    return parseChange(text);
  } catch (error) {
    throw damagedChange(path, error);
  }
}

/** Returns the error of a damaged record of a change. */
export function damagedChange(path: string, cause: unknown): SvirtError {
  return new SvirtError(`Cannot read the record of a change ${path}: it is damaged`, {
    kind: "failed",
    remedy: `Compare it with docs/state.md; or check that object, and remove the record: rm ${path}`,
    cause,
  });
}

/** Returns the key of the object in the name of a record, or of a part of one. */
function keyIn(name: string, kind: ObjectKind): string | undefined {
  const whole = name.endsWith(stagedPath(ENDING)) ? name.slice(0, -stagedPath("").length) : name;
  if (!whole.startsWith(`${kind}-`) || !whole.endsWith(ENDING)) return undefined;
  const key = whole.slice(kind.length + 1, -ENDING.length);
  return /^[0-9a-f.:-]+$/.test(key) ? key : undefined;
}

function pathsOf(instance: Pick<Instance, "paths">, { key, kind }: ChangedObject): readonly string[] {
  return foldersOf(instance).map((folder) => `${folder}/${kind}-${key}${ENDING}`);
}

function foldersOf({ paths }: Pick<Instance, "paths">): readonly [onDisk: string, inRun: string] {
  return [`${paths.config}/changes`, `${paths.run}/changes`];
}
