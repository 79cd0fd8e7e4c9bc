import { formatNetwork, parseNetwork, parseNetworkText } from "../../network/document.ts";
import { startableNetwork } from "../../network/rules/startable.ts";
import type { Instance } from "../../state/instance.ts";
import { readNetwork, removeActiveNetwork, writeActiveNetwork } from "../../state/networks.ts";
import { changeNetworks } from "./change-networks.ts";
import type { NetworkIdentity } from "./define-network.ts";
import { findNetwork } from "./find-network.ts";
import { completeForHost } from "./new-network.ts";

/** A network, and whether the call has changed it. */
export interface ChangedNetwork extends NetworkIdentity {
  readonly did: boolean;
}

/**
 * Makes a defined network active. One that is active stays as it is. Throws "not-found"; "unsupported" for a network
 * that is neither a bridge nor devices of the host.
 */
export async function startNetwork(instance: Instance, key: string): Promise<ChangedNetwork> {
  return await changeNetworks(instance, () => {
    const { active, defined = "", name, uuid } = findNetwork(instance, key);
    if (active !== undefined) return { name, uuid, did: false };
    startableNetwork(parseNetworkText(defined));
    writeActiveNetwork(instance, name, defined);
    return { name, uuid, did: true };
  });
}

/**
 * Makes a network active without defining it. If a definition has its name and UUID, the network has that again after its end.
 * Throws "xml", "unsupported"; "in-use" if name and UUID belong to different networks. networkCreateXML() of libvirt
 */
export async function createNetwork(instance: Instance, bytes: Uint8Array): Promise<ChangedNetwork> {
  const network = parseNetwork(bytes);
  return await changeNetworks(instance, () => {
    const completed = completeForHost(instance, network);
    const { name, uuid } = completed;
    if (readNetwork(instance, name)?.active !== undefined) return { name, uuid, did: false };
    startableNetwork(completed);
    writeActiveNetwork(instance, name, formatNetwork(completed));
    return { name, uuid, did: true };
  });
}

/**
 * Makes a network inactive; one without a definition is gone then. Guests that use it keep running on its bridge or device,
 * as with libvirt. Throws "not-found".
 */
export async function destroyNetwork(instance: Instance, key: string): Promise<ChangedNetwork> {
  return await changeNetworks(instance, () => {
    const { active, name, uuid } = findNetwork(instance, key);
    if (active === undefined) return { name, uuid, did: false };
    removeActiveNetwork(instance, name);
    return { name, uuid, did: true };
  });
}
