import { asSvirtError, listErrors, SvirtError, throwErrors } from "../../errors.ts";
import { deviceLock, editFolder } from "../../plan/paths.ts";
import type { Instance } from "../../state/instance.ts";
import type { Change } from "../object-change/change.ts";

/** Result of editing a definition. */
export interface Edited<Result = unknown> {
  readonly name: string;
  readonly isChanged: boolean;
  /** Result of `store`; undefined if the text is unchanged. */
  readonly result?: Result | undefined;
}

/** Treats the change that the edited text asks for: carries it out, or returns its steps. */
export type TreatChange<Result> = (change: Change<unknown>) => Promise<Result>;

/** Definition to edit. */
export interface EditableDefinition<Result = unknown> {
  readonly name: string;
  /** Name of the edited file without its ending, and of the editor's lock. */
  readonly id: string;
  readonly xml: string;
  /** Commands to store a text and to print the current definition. */
  readonly commands: { readonly define: string; readonly dumpxml: string };
  /**
   * Stores the edited text, after `refuseOther` has accepted the current definition, both under the
   * registry's lock. For a plan only returns the steps.
   */
  store(bytes: Uint8Array, refuseOther: (current: string | undefined) => void): Promise<Result>;
}

/**
 * Lets the caller edit a definition and stores the result. A refused text stays in its file. Throws
 * "wrong-state" if another edit runs or the definition has changed meanwhile, and the errors of `store`.
 */
export async function editDefinition<Result>(
  instance: Instance,
  definition: EditableDefinition<Result>,
): Promise<Edited<Result>> {
  const { host, paths } = instance;
  const { id, name, xml } = definition;
  const release = await lockEditing(instance, id, name);
  try {
    const path = `${editFolder(paths)}/${id}.xml`;
    host.makeFolder({ path: editFolder(paths), mode: 0o700 });
    host.writeText(path, xml, 0o600);
    await host.editFile(path);
    const text = host.readText(path) ?? "";
    const isChanged = text !== xml;
    const result = isChanged ? await store(definition, path, text) : undefined;
    host.removeFile(path);
    return { name, isChanged, result };
  } finally {
    release();
  }
}

async function lockEditing({ host, paths }: Instance, id: string, name: string): Promise<() => void> {
  try {
    return await host.lock(deviceLock(paths, id, "edit"), 0);
  } catch (error) {
    if (asSvirtError(error).kind !== "timeout") throw error;
    throw new SvirtError(`Cannot edit ${name}: another svirt edit is running`, {
      kind: "wrong-state",
      remedy: "Wait until that editor has ended.",
      cause: error,
    });
  }
}

async function store<Result>(
  { commands, store: storeText, xml }: EditableDefinition<Result>,
  path: string,
  text: string,
): Promise<Result> {
  const kept = `Correct your text in ${path}, then run: svirt ${commands.define} ${path}`;
  try {
    return await storeText(new TextEncoder().encode(text), (current) => {
      if (current !== xml) throw changedMeanwhile(commands.dumpxml);
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
    throw error;
  }
}

function changedMeanwhile(dumpxml: string): SvirtError {
  return new SvirtError("the XML configuration was changed by another user", {
    kind: "wrong-state",
    remedy: `See the current definition: svirt ${dumpxml}`,
  });
}
