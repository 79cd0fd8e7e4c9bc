import type { OnRefused } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import type { XmlEntry, XmlStore } from "../../state/xml-store.ts";

/** An object in a list. */
export interface ListedXml extends XmlEntry {
  /** Undefined if it was not asked for, or if svirt has not written the object's file. */
  readonly uuid: string | undefined;
}

/** Objects to list: each group of given options selects objects with any of its states. */
export interface StoredFilter {
  readonly active?: boolean;
  readonly inactive?: boolean;
  readonly persistent?: boolean;
  readonly transient?: boolean;
  readonly autostart?: boolean;
  readonly noAutostart?: boolean;
}

/** Objects to list, and whether with their UUIDs: each file is read for them. */
export interface Selection {
  readonly filter: StoredFilter;
  readonly wantsUuids: boolean;
  /** Receives the errors of damaged files if they are read. Their objects are listed without a UUID. */
  readonly onDamaged?: OnRefused | undefined;
}

/** Lists objects by their names. virNetworkMatch() and virStoragePoolObjMatch() of libvirt */
export function selectStored(
  store: XmlStore,
  instance: Instance,
  { filter, onDamaged, wantsUuids }: Selection,
): readonly ListedXml[] {
  const uuids = new Map(
    wantsUuids ? store.list(instance, onDamaged).map(({ name, uuid }) => [name, uuid]) : [],
  );
  return store
    .listEntries(instance)
    .filter(
      ({ isActive, isAutostarted, isPersistent }) =>
        isSelected(isActive, filter.active, filter.inactive) &&
        isSelected(isPersistent, filter.persistent, filter.transient) &&
        isSelected(isAutostarted, filter.autostart, filter.noAutostart),
    )
    .map((entry) => ({ ...entry, uuid: uuids.get(entry.name) }));
}

/** Whether a state is requested. Without a request, both are. */
function isSelected(is: boolean, wanted = false, unwanted = false): boolean {
  return wanted === unwanted || (is ? wanted : unwanted);
}
