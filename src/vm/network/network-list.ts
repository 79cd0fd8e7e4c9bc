import type { Instance } from "../../state/instance.ts";
import { listNetworkEntries, listNetworks, type NetworkEntry } from "../../state/networks.ts";

/** A network in a list. */
export interface ListedNetwork extends NetworkEntry {
  /** Undefined if it was not asked for, or if svirt has not written the network's file. */
  readonly uuid: string | undefined;
}

/** Networks to list: each group of options that is given selects those that have one of its states. */
export interface NetworkFilter {
  readonly active?: boolean;
  readonly inactive?: boolean;
  readonly persistent?: boolean;
  readonly transient?: boolean;
  readonly autostart?: boolean;
  readonly noAutostart?: boolean;
}

/**
 * Lists networks by their names. With `wantsUuids` each file is read for its UUID. virNetworkMatch() of libvirt
 */
export function selectNetworks(
  instance: Instance,
  filter: NetworkFilter,
  { wantsUuids }: { readonly wantsUuids: boolean },
): readonly ListedNetwork[] {
  const uuids = new Map(wantsUuids ? listNetworks(instance).map(({ name, uuid }) => [name, uuid]) : []);
  return listNetworkEntries(instance)
    .filter(
      ({ isActive, isAutostarted, isPersistent }) =>
        isSelected(isActive, filter.active, filter.inactive) &&
        isSelected(isPersistent, filter.persistent, filter.transient) &&
        isSelected(isAutostarted, filter.autostart, filter.noAutostart),
    )
    .map((entry) => ({ ...entry, uuid: uuids.get(entry.name) }));
}

/** Whether a state is one of those that are asked for. Without either, both are. */
function isSelected(is: boolean, wanted = false, unwanted = false): boolean {
  return wanted === unwanted || (is ? wanted : unwanted);
}
