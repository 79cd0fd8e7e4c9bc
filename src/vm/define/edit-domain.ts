import { asSvirtError, listErrors, SvirtError, throwErrors } from "../../errors.ts";
import { deviceLock, editFolder } from "../../plan/paths.ts";
import { completeDomain } from "../../resolve/complete-domain.ts";
import type { Instance } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";
import { findDomain } from "../guest/find-domain.ts";
import { storeDomain } from "./define.ts";

/** Result of editing a definition. */
export interface Edited {
  readonly name: string;
  readonly isChanged: boolean;
}

/**
 * Lets the caller edit a definition and stores the result as `define` would. A refused text stays in its file. Throws
 * "not-found", "wrong-state", and the errors of `define`.
 */
export async function editDomain(instance: Instance, key: string): Promise<Edited> {
  const { host, paths } = instance;
  const { definition, name, uuid } = findDomain(instance, key);
  if (definition === undefined) {
    throw new SvirtError(`Requested operation is not valid: domain '${name}' runs without a definition`, {
      kind: "wrong-state",
      remedy: `Define it first: svirt dumpxml ${name} --inactive, then svirt define`,
    });
  }
  const release = await lockEditing(instance, uuid, name);
  try {
    const path = `${editFolder(paths)}/${uuid}.xml`;
    host.makeFolder({ path: editFolder(paths), mode: 0o700 });
    host.writeText(path, definition.xml, 0o600);
    await host.editFile(path);
    const text = host.readText(path) ?? "";
    const isChanged = text !== definition.xml;
    if (isChanged) await store(instance, { path, text, before: definition.xml, uuid });
    host.removeFile(path);
    return { name, isChanged };
  } finally {
    release();
  }
}

async function lockEditing({ host, paths }: Instance, uuid: string, name: string): Promise<() => void> {
  try {
    return await host.lock(deviceLock(paths, uuid, "edit"), 0);
  } catch (error) {
    if (asSvirtError(error).kind !== "timeout") throw error;
    throw new SvirtError(`Cannot edit ${name}: another svirt edit is running`, {
      kind: "wrong-state",
      remedy: "Wait until that editor has ended.",
      cause: error,
    });
  }
}

/** Edited text, its path, and the text before. */
interface EditedText {
  readonly path: string;
  readonly text: string;
  readonly before: string;
  readonly uuid: string;
}

async function store(instance: Instance, { before, path, text, uuid }: EditedText): Promise<void> {
  const kept = `Correct your text in ${path}, then run: svirt define ${path}`;
  try {
    const domain = completeDomain(instance, new TextEncoder().encode(text));
    await withRegistryLock(instance, async () => {
      if (findDomain(instance, uuid).definition?.xml !== before) throw changedMeanwhile(uuid);
      storeDomain(instance, domain);
    });
  } catch (error) {
    const errors = listErrors(error);
    throwErrors(
      errors.map((one, at) => {
        const { kind, message, remedy } = one;
        const isLast = at === errors.length - 1;
        return new SvirtError(message, {
          kind,
          remedy: isLast ? `${remedy} ${kept}` : remedy,
          cause: one,
        });
      }),
    );
  }
}

function changedMeanwhile(uuid: string): SvirtError {
  return new SvirtError("the XML configuration was changed by another user", {
    kind: "wrong-state",
    remedy: `See the current definition: svirt dumpxml ${uuid} --inactive`,
  });
}
