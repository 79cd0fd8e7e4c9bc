import { SvirtError } from "../../errors.ts";
import { formatNetwork, parseNetwork } from "../../network/document.ts";
import type { Network } from "../../network/forms/network.ts";
import type { Instance } from "../../state/instance.ts";
import {
  removeDefinedNetwork,
  type StoredNetwork,
  writeDefinedNetwork,
} from "../../state/networks/networks.ts";
import { changeNetworks } from "./change-networks.ts";
import { findNetwork } from "./find-network.ts";
import { completeForHost } from "./new-network.ts";

/** Name and UUID of a network. */
export type NetworkIdentity = Pick<StoredNetwork, "name" | "uuid">;

/**
 * Stores the definition of a network; replaces one of the same name. An active network does not change. Throws "xml",
 * "unsupported"; "in-use" if name and UUID belong to different networks.
 */
export async function defineNetwork(instance: Instance, bytes: Uint8Array): Promise<NetworkIdentity> {
  const network = parseNetwork(bytes);
  return await changeNetworks(instance, () => storeNetwork(instance, network));
}

/** Stores a network with the parts that libvirt adds. The caller holds the registry's lock. */
export function storeNetwork(instance: Instance, network: Network): NetworkIdentity {
  const completed = completeForHost(instance, network);
  const { name, uuid } = completed;
  writeDefinedNetwork(instance, name, formatNetwork(completed));
  return { name, uuid };
}

/**
 * Removes the definition of a network. An active network stays active until it is destroyed. Throws "not-found"; "wrong-state"
 * for a network without a definition. networkUndefine() of libvirt
 */
export async function undefineNetwork(instance: Instance, key: string): Promise<NetworkIdentity> {
  return await changeNetworks(instance, () => {
    const { name, uuid } = definedNetwork(instance, key, "can't undefine transient network");
    removeDefinedNetwork(instance, name);
    return { name, uuid };
  });
}

/** Returns a network with a definition. Throws "not-found"; "wrong-state" for one without, in libvirt's words. */
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
