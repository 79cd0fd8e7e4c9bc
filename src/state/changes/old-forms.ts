import { SvirtError } from "../../errors.ts";
import type { ObjectKind } from "../../plan/change/object-kinds.ts";
import type { Instance } from "../instance.ts";
import { damagedChange, writeChange } from "./changes.ts";
import type { OldFormName } from "./convert-old-forms.ts";

/** Record of an interrupted change in the form of an older svirt. */
interface OldForm {
  readonly kind: ObjectKind;
  readonly form: OldFormName;
  /** Lists the paths that such records may have. */
  pathsIn(instance: Pick<Instance, "host" | "paths">): readonly string[];
}

const FORMS: readonly OldForm[] = [
  { kind: "network", pathsIn: ({ paths }) => [`${paths.run}/network-bridge.json`], form: "bridge" },
  { kind: "network", pathsIn: ({ paths }) => [`${paths.run}/network-update.json`], form: "update" },
  { kind: "domain", pathsIn: ({ paths }) => [`${paths.config}/rename.json`], form: "rename" },
  { kind: "domain", pathsIn: listSnapshotChanges, form: "images" },
];

/** Lists the paths of records that an older svirt has left. */
export function listOldForms(instance: Instance, kinds: readonly ObjectKind[]): readonly string[] {
  return FORMS.filter(({ kind }) => kinds.includes(kind))
    .flatMap(({ pathsIn }) => pathsIn(instance))
    .filter((path) => instance.host.inspectFile(path) !== undefined);
}

/**
 * Replaces the records that an older svirt has left by records of today. Throws "failed" if one is damaged.
 * The caller holds the registry's lock.
 */
export function adoptOldForms(instance: Instance, kinds: readonly ObjectKind[]): void {
  for (const { form, kind, pathsIn } of FORMS) {
    if (!kinds.includes(kind)) continue;
    for (const path of pathsIn(instance)) adopt(instance, form, path);
  }
}

function adopt(instance: Instance, form: OldFormName, path: string): void {
  const text = instance.host.readText(path);
  if (text === undefined) return;
  // Loaded on demand: hardly any host has such a record.
  const { CONVERSIONS }: typeof import("./convert-old-forms.ts") = require("./convert-old-forms.ts");
  const change = orDamaged(path, () => CONVERSIONS[form](instance, text, path));
  if (change !== undefined) writeChange(instance, change);
  instance.host.removeFile(path);
}

function orDamaged<Value>(path: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw error instanceof SvirtError ? error : damagedChange(path, error);
  }
}

const JSON_ENDING = ".json";

/** Lists the records of changes of the images of domains that were off. */
function listSnapshotChanges({ host, paths }: Pick<Instance, "host" | "paths">): readonly string[] {
  const folder = `${paths.state}/snapshot-changes`;
  return host
    .listFolder(folder)
    .filter((name) => name.endsWith(JSON_ENDING))
    .map((name) => `${folder}/${name}`);
}
