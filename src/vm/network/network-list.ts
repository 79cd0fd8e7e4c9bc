import type { Instance } from "../../state/instance.ts";
import { networkStore } from "../../state/networks/networks.ts";
import { type ListedXml, type StoredFilter, selectStored } from "../stored/select-stored.ts";

/** Lists networks by their names. With `wantsUuids` each file is read for its UUID. */
export function selectNetworks(
  instance: Instance,
  filter: StoredFilter,
  { wantsUuids }: { readonly wantsUuids: boolean },
): readonly ListedXml[] {
  return selectStored(networkStore, instance, { filter, wantsUuids });
}
