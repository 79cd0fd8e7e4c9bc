import type { Instance } from "../../state/instance.ts";
import type { StoredXml } from "../../state/xml-store.ts";
import { type Edited, editDefinition } from "../define/edit-definition.ts";

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
   * Stores the definition. Calls `refuse` when no other call can change the object any more; it throws if the
   * object has changed.
   */
  save(instance: Instance, parsed: Parsed, refuse: () => void): Promise<unknown>;
}

/**
 * Lets the caller edit an object's definition and stores the result as its define command would. Throws
 * "not-found", "wrong-state", and the errors of that command.
 */
export async function editStored<Parsed>(
  instance: Instance,
  { command, find, findDefined, parse, prefix, save }: Editable<Parsed>,
  key: string,
): Promise<Edited> {
  const { defined, name, uuid } = findDefined(instance, key);
  return await editDefinition(instance, {
    name,
    id: `${prefix}-${uuid}`,
    xml: defined,
    commands: { define: `${command}-define`, dumpxml: `${command}-dumpxml ${uuid} --inactive` },
    async store(bytes, refuseOther) {
      await save(instance, parse(bytes), () => refuseOther(find(instance, uuid).defined));
    },
  });
}
