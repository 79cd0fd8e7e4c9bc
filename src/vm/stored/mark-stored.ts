import { SvirtError } from "../../errors.ts";
import { type Instance, isSession } from "../../state/instance.ts";
import type { StoredXml, XmlStore } from "../../state/xml-store.ts";
import type { ChangeStored } from "./change-stored.ts";
import { type Autostarted, startEach } from "./start-each.ts";

/** Name and UUID of an object. */
export type StoredIdentity = Pick<StoredXml, "name" | "uuid">;

/** Objects that can start at boot, and their words for messages. */
export interface Markable {
  readonly store: XmlStore;
  /** One object, `network`. */
  readonly noun: string;
  /** Command for its start, with its operand. */
  readonly startCommand: string;
  readonly change: ChangeStored;
  /** Returns a stored object with a definition. Throws "not-found", "wrong-state". */
  findDefined(instance: Instance, key: string): StoredXml;
}

/** A wish for an object: to start at boot, or not to. */
export interface Mark {
  readonly key: string;
  readonly isMarked: boolean;
}

/**
 * Marks a defined object to start at boot, or removes the mark. Throws "not-found", "unsupported" in a
 * session, "wrong-state" for an object without a definition.
 */
export async function markStored(
  instance: Instance,
  { change, findDefined, noun, startCommand, store }: Markable,
  { isMarked, key }: Mark,
): Promise<StoredIdentity> {
  refuseInSession(instance, noun, startCommand);
  return await change(instance, () => {
    const { name, uuid } = findDefined(instance, key);
    store.setAutostart(instance, name, isMarked);
    return { name, uuid };
  });
}

/** Throws "unsupported" in a session, whose objects are not started at boot. */
export function refuseInSession(instance: Instance, noun: string, startCommand: string): void {
  if (!isSession(instance)) return;
  throw new SvirtError(
    `Cannot mark the ${noun} as autostarted: an ordinary user's ${noun}s are not started at boot`,
    {
      kind: "unsupported",
      remedy: `Start it at your login, such as in ~/.profile: svirt ${startCommand}`,
    },
  );
}

/** Starts the inactive marked objects. Never throws for a single object. */
export async function startMarked(
  instance: Instance,
  store: XmlStore,
  start: (name: string) => Promise<{ readonly did: boolean }>,
): Promise<Autostarted> {
  const marked = store
    .listEntries(instance)
    .filter(({ isActive, isAutostarted }) => isAutostarted && !isActive);
  return await startEach(
    marked.map(({ name }) => name),
    start,
  );
}
