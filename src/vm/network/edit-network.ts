import { parseNetwork } from "../../network/document.ts";
import type { Network } from "../../network/forms/network.ts";
import type { Instance } from "../../state/instance.ts";
import type { Edited } from "../define/edit-definition.ts";
import { carryOut } from "../object-change/carry-out.ts";
import { editStored } from "../stored/edit-stored.ts";
import { definedNetwork, networkReplacement } from "./define-network.ts";
import { findNetwork } from "./find-network.ts";

/**
 * Lets the caller edit a network's definition and stores the result as `net-define` would. Throws
 * "not-found", "wrong-state", and the errors of `net-define`.
 */
export async function editNetwork(instance: Instance, key: string): Promise<Edited> {
  const kind = {
    command: "net",
    prefix: "network",
    find: findNetwork,
    findDefined: (node: Instance, name: string) =>
      definedNetwork(node, name, "cannot edit transient network"),
    parse: parseNetwork,
    save: async (node: Instance, network: Network, refuse: () => void) =>
      await carryOut(node, networkReplacement(network, refuse)),
  };
  return await editStored(instance, kind, key);
}
