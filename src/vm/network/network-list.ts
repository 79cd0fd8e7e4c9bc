import type { Instance } from "../../state/instance.ts";
import { networkStore } from "../../state/networks/networks.ts";
import { type ListedXml, type Selection, type StoredFilter, selectStored } from "../stored/select-stored.ts";

/** Lists networks by their names. With `wantsUuids` each file is read for its UUID. */
export function selectNetworks(
  instance: Instance,
  filter: StoredFilter,
  options: Omit<Selection, "filter">,
): readonly ListedXml[] {
  return selectStored(networkStore, instance, { ...options, filter });
}
