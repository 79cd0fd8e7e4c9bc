import type { Instance } from "../../state/instance.ts";
import { networkStore } from "../../state/networks/networks.ts";
import { carryOut } from "../object-change/carry-out.ts";
import type { Change } from "../object-change/change.ts";
import { plannedOf } from "../object-change/change-of.ts";
import { refuseInSession, startMarked } from "../stored/mark-stored.ts";
import type { Autostarted } from "../stored/start-each.ts";
import { definedNetwork, type NetworkIdentity } from "./define-network.ts";
import { networkChange } from "./network-change.ts";
import { startNetwork } from "./start-network.ts";

/**
 * Marks a defined network to start at boot, or removes the mark. Throws "not-found", "unsupported" in a
 * session, "wrong-state" for a network without a definition. networkSetAutostart() of libvirt
 */
export async function markNetwork(
  instance: Instance,
  key: string,
  isMarked: boolean,
): Promise<NetworkIdentity> {
  return await carryOut(instance, networkMark(key, isMarked));
}

/** Returns the change of markNetwork(). */
export function networkMark(key: string, isMarked: boolean): Change<NetworkIdentity> {
  return networkChange((instance) => {
    refuseInSession(instance, "network", "net-start NETWORK");
    const { name, uuid } = definedNetwork(instance, key, "cannot set autostart for transient network");
    const steps = networkStore.markSteps(instance, name, isMarked);
    return plannedOf({ kind: "network", name, uuid }, { command: "net-autostart", steps, commit: "last" });
  });
}

/** Starts the marked networks that are inactive. Never throws for a single network. */
export async function startMarkedNetworks(instance: Instance): Promise<Autostarted> {
  return await startMarked(instance, networkStore, async (name) => await startNetwork(instance, name));
}
