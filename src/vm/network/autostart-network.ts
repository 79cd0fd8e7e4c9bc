import type { Instance } from "../../state/instance.ts";
import { networkStore } from "../../state/networks/networks.ts";
import { markStored, startMarked } from "../stored/mark-stored.ts";
import type { Autostarted } from "../stored/start-each.ts";
import { changeNetworks } from "./change-networks.ts";
import { definedNetwork, type NetworkIdentity } from "./define-network.ts";
import { startNetwork } from "./start-network.ts";

/**
 * Marks a defined network to start at boot, or removes the mark. Throws "not-found", "unsupported" in a session, "wrong-state"
 * for a network without a definition. networkSetAutostart() of libvirt
 */
export async function markNetwork(
  instance: Instance,
  key: string,
  isMarked: boolean,
): Promise<NetworkIdentity> {
  const kind = {
    store: networkStore,
    noun: "network",
    startCommand: "net-start NETWORK",
    change: changeNetworks,
    findDefined: (node: Instance, name: string) =>
      definedNetwork(node, name, "cannot set autostart for transient network"),
  };
  return await markStored(instance, kind, { key, isMarked });
}

/** Starts the marked networks that are inactive. Never throws for a single network. */
export async function startMarkedNetworks(instance: Instance): Promise<Autostarted> {
  return await startMarked(instance, networkStore, async (name) => await startNetwork(instance, name));
}
