import * as v from "valibot";
import { errorsOf, joinErrors, SvirtError } from "../errors.ts";
import { aString } from "../plan/facts/plain-schemas.ts";
import { renameFile } from "../plan/paths.ts";
import {
  isAutostarted,
  readDefinition,
  removeDefinition,
  setAutostart,
  writeDefinition,
} from "./definitions.ts";
import type { Instance } from "./instance.ts";
import { readRecord } from "./record.ts";

/** New name of a definition, in `/etc/svirt/rename.json` until only that is left. */
const rename = v.strictObject({
  uuid: aString,
  from: aString,
  to: aString,
  /** Whether the domain starts at boot. */
  isMarked: v.boolean(),
  /** Whether it starts at the next boot; absent: no, so that an older svirt can finish the renaming. */
  isMarkedOnce: v.exactOptional(v.boolean()),
});
type Rename = v.InferOutput<typeof rename>;

/**
 * Stores a definition under another name, with its autostart marks. If it is interrupted, finishRename() removes one of the two
 * names. The caller holds the registry's lock.
 */
export function renameDefinition(
  instance: Instance,
  { xml, ...names }: Omit<Rename, "isMarked" | "isMarkedOnce"> & { readonly xml: string },
): void {
  // Finishes an earlier renaming that failed on the way.
  finishRename(instance);
  const record: Rename = {
    ...names,
    isMarked: isAutostarted(instance, names.from),
    ...(isAutostarted(instance, names.from, "once") ? { isMarkedOnce: true } : {}),
  };
  try {
    instance.host.writeText(renameFile(instance.paths), `${JSON.stringify(record)}\n`, 0o600);
    writeDefinition(instance, { name: names.to, xml });
  } catch (error) {
    // If this fails too, the record stays, and the next call undoes it.
    throw joinErrors(
      error,
      errorsOf(() => finishRename(instance)),
    );
  }
  finishRename(instance);
}

/**
 * Finishes an interrupted renameDefinition(): removes the old name if the new one is stored. A guest that was started meanwhile
 * keeps its name. The caller holds the registry's lock.
 */
export function finishRename(instance: Instance): void {
  const text = instance.host.readText(renameFile(instance.paths));
  if (text === undefined) return;
  const { from, to, uuid, ...marks } = parseRename(instance, text);
  const isDefined = (name: string): boolean => readDefinition(instance, name)?.uuid === uuid;
  if (isDefined(to)) {
    const isOld = isDefined(from);
    if (isOld && readRecord(instance, uuid)?.name === from) removeDefinition(instance, to);
    else {
      mark(instance, to, marks);
      if (isOld) removeDefinition(instance, from);
    }
  }
  instance.host.removeFile(renameFile(instance.paths));
}

function mark(
  instance: Instance,
  name: string,
  { isMarked, isMarkedOnce = false }: Pick<Rename, "isMarked" | "isMarkedOnce">,
): void {
  if (isMarked) setAutostart(instance, name, { when: "always", wanted: true });
  if (isMarkedOnce) setAutostart(instance, name, { when: "once", wanted: true });
}

function parseRename({ paths }: Instance, text: string): Rename {
  try {
    return v.parse(rename, JSON.parse(text));
  } catch (error) {
    const path = renameFile(paths);
    throw new SvirtError(`Cannot finish the renaming of a domain in ${path}: the file is damaged`, {
      kind: "failed",
      remedy: `Remove it, and undefine one of two domains with the same UUID: rm ${path}`,
      cause: error,
    });
  }
}
