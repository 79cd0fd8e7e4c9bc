import { parseNetwork } from "../../network/document.ts";
import type { Instance } from "../../state/instance.ts";
import type { Edited } from "../define/edit-definition.ts";
import { editStored } from "../stored/edit-stored.ts";
import { changeNetworks } from "./change-networks.ts";
import { definedNetwork, storeNetwork } from "./define-network.ts";
import { findNetwork } from "./find-network.ts";

/**
 * Lets the caller edit a network's definition and stores the result as `net-define` would. Throws "not-found", "wrong-state",
 * and the errors of `net-define`.
 */
export async function editNetwork(instance: Instance, key: string): Promise<Edited> {
  const kind = {
    command: "net",
    prefix: "network",
    change: changeNetworks,
    find: findNetwork,
    findDefined: (node: Instance, name: string) =>
      definedNetwork(node, name, "cannot edit transient network"),
    parse: parseNetwork,
    store: storeNetwork,
  };
  return await editStored(instance, kind, key);
}
