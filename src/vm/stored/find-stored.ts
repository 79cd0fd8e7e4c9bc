import { uuidOf } from "../../domain/forms/uuid.ts";
import type { Instance } from "../../state/instance.ts";
import type { StoredXml, XmlStore } from "../../state/xml-store.ts";

/** Returns the object with that UUID or name, in virsh's order; undefined if there is none. */
export function findStored(store: XmlStore, instance: Instance, key: string): StoredXml | undefined {
  const uuid = uuidOf(key);
  const found = uuid === undefined ? undefined : store.list(instance).find((one) => one.uuid === uuid);
  return found ?? store.read(instance, key);
}
