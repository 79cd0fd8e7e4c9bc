import { SvirtError } from "../../errors.ts";
import { type Instance, isSession } from "../../state/instance.ts";
import type { StoredXml, XmlStore } from "../../state/xml-store.ts";
import { type Autostarted, startEach } from "./start-each.ts";

/** Name and UUID of an object. */
export type StoredIdentity = Pick<StoredXml, "name" | "uuid">;

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
