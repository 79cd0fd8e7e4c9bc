import { SvirtError } from "../../errors.ts";
import { formatNetwork, parseNetwork } from "../../network/document.ts";
import type { Network } from "../../network/forms/network.ts";
import type { Instance } from "../../state/instance.ts";
import { networkStore, type StoredNetwork } from "../../state/networks/networks.ts";
import { carryOut } from "../object-change/carry-out.ts";
import type { Change } from "../object-change/change.ts";
import { plannedOf } from "../object-change/change-of.ts";
import { findNetwork } from "./find-network.ts";
import { networkChange } from "./network-change.ts";
import { completeForHost } from "./new-network.ts";

/** Name and UUID of a network. */
export type NetworkIdentity = Pick<StoredNetwork, "name" | "uuid">;

/**
 * Stores the definition of a network; replaces a network of the same name. An active network does not change.
 * Throws "xml", "unsupported"; "in-use" if name and UUID belong to different networks.
 */
export async function defineNetwork(instance: Instance, bytes: Uint8Array): Promise<NetworkIdentity> {
  return await carryOut(instance, networkDefinition(bytes));
}

/** Returns the change of defineNetwork(). Throws "xml", "unsupported". */
export function networkDefinition(bytes: Uint8Array): Change<NetworkIdentity> {
  return networkReplacement(parseNetwork(bytes));
}

/** Returns the change that stores a network. The callback throws if the definition is not to be replaced. */
export function networkReplacement(
  network: Network,
  refuse: () => void = () => undefined,
): Change<NetworkIdentity> {
  return networkChange((instance) => {
    refuse();
    const completed = completeForHost(instance, network);
    const { name, uuid } = completed;
    const steps = [networkStore.defineStep(instance, name, formatNetwork(completed))];
    return plannedOf({ kind: "network", name, uuid }, { command: "net-define", steps, commit: "last" });
  });
}

/**
 * Removes the definition of a network. An active network stays active until it is destroyed. Throws
 * "not-found"; "wrong-state" for a network without a definition. networkUndefine() of libvirt
 */
export async function undefineNetwork(instance: Instance, key: string): Promise<NetworkIdentity> {
  return await carryOut(instance, networkRemoval(key));
}

/** Returns the change of undefineNetwork(). */
export function networkRemoval(key: string): Change<NetworkIdentity> {
  return networkChange((instance) => {
    const { name, uuid } = definedNetwork(instance, key, "can't undefine transient network");
    const steps = [
      networkStore.defineStep(instance, name, undefined),
      ...networkStore.markSteps(instance, name, false),
    ];
    return plannedOf({ kind: "network", name, uuid }, { command: "net-undefine", steps, commit: "first" });
  });
}

/**
 * Returns a network with a definition. Throws "not-found"; "wrong-state" without a definition, in libvirt's
 * words.
 */
export function definedNetwork(
  instance: Instance,
  key: string,
  why: string,
): StoredNetwork & { readonly defined: string } {
  const { defined, ...network } = findNetwork(instance, key);
  if (defined !== undefined) return { ...network, defined };
  throw transient(why, network.name);
}

/** Returns the refusal of an operation on a network without a definition, in libvirt's words. */
export function transient(why: string, name: string): SvirtError {
  return new SvirtError(`Requested operation is not valid: ${why}`, {
    kind: "wrong-state",
    from: "NETWORK",
    remedy: `Define it first: svirt net-dumpxml ${name} | svirt net-define -`,
  });
}
