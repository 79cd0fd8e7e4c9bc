import type { Instance } from "../../state/instance.ts";
import type { StoredXml } from "../../state/xml-store.ts";
import { type Edited, editDefinition, type TreatChange } from "../define/edit-definition.ts";
import type { Change } from "../object-change/change.ts";

/** Kind of an edited object. */
export interface Editable<Parsed> {
  /** Beginning of its commands, `net`, and of the name of the edited file, `network`. */
  readonly command: string;
  readonly prefix: string;
  /** Returns a stored object with a definition. Throws "not-found", "wrong-state". */
  findDefined(instance: Instance, key: string): StoredXml & { readonly defined: string };
  /** Returns the object of that key. Throws "not-found". */
  find(instance: Instance, key: string): StoredXml;
  parse(bytes: Uint8Array): Parsed;
  /**
   * Returns the change that stores the definition. It calls `refuse` when no other call can change the object
   * any more; it throws if the object has changed.
   */
  replacement(parsed: Parsed, refuse: () => void): Change<unknown>;
}

/**
 * Lets the caller edit an object's definition, and treats the change that its define command would make of
 * it. Throws "not-found", "wrong-state", and the errors of that command.
 */
export async function editStored<Parsed, Result>(
  instance: Instance,
  { command, find, findDefined, parse, prefix, replacement }: Editable<Parsed>,
  { key, treat }: { readonly key: string; readonly treat: TreatChange<Result> },
): Promise<Edited<Result>> {
  const { defined, name, uuid } = findDefined(instance, key);
  return await editDefinition(instance, {
    name,
    id: `${prefix}-${uuid}`,
    xml: defined,
    commands: { define: `${command}-define`, dumpxml: `${command}-dumpxml ${uuid} --inactive` },
    async store(bytes, refuseOther) {
      return await treat(replacement(parse(bytes), () => refuseOther(find(instance, uuid).defined)));
    },
  });
}
