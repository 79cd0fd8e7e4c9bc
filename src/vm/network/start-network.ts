import { formatNetwork, parseNetwork, parseNetworkText } from "../../network/document.ts";
import { startableNetwork } from "../../network/rules/startable.ts";
import type { Instance } from "../../state/instance.ts";
import { refreshServer } from "../../state/networks/network-server.ts";
import { readNetwork } from "../../state/networks/networks.ts";
import { activateNetwork, deactivateNetwork } from "./activate-network.ts";
import { changeNetworks } from "./change-networks.ts";
import type { NetworkIdentity } from "./define-network.ts";
import { findNetwork } from "./find-network.ts";
import { completeForHost } from "./new-network.ts";

/** A network, and whether the call has changed it. */
export interface ChangedNetwork extends NetworkIdentity {
  readonly did: boolean;
}

/**
 * Makes a defined network active. One that is active stays as it is, with its server. Throws "not-found"; "unsupported" for a network
 * with parts that svirt does not apply; the errors of activateNetwork().
 */
export async function startNetwork(instance: Instance, key: string): Promise<ChangedNetwork> {
  return await changeNetworks(instance, async () => {
    const { active, defined = "", name, uuid } = findNetwork(instance, key);
    if (active !== undefined) {
      // A server that was killed, or whose update was interrupted.
      await refreshServer(instance, { network: parseNetworkText(active), uuid });
      return { name, uuid, did: false };
    }
    await activateNetwork(instance, startableNetwork(parseNetworkText(defined)), { uuid, xml: defined });
    return { name, uuid, did: true };
  });
}

/**
 * Makes a network active without defining it. If a definition has its name and UUID, the network has that again after its end.
 * Throws "xml", "unsupported"; "in-use" if name and UUID belong to different networks; the errors of activateNetwork().
 * networkCreateXML() of libvirt
 */
export async function createNetwork(instance: Instance, bytes: Uint8Array): Promise<ChangedNetwork> {
  const network = parseNetwork(bytes);
  return await changeNetworks(instance, async () => {
    const completed = completeForHost(instance, network);
    const { name, uuid } = completed;
    if (readNetwork(instance, name)?.active !== undefined) return { name, uuid, did: false };
    await activateNetwork(instance, startableNetwork(completed), { uuid, xml: formatNetwork(completed) });
    return { name, uuid, did: true };
  });
}

/**
 * Makes a network inactive; one without a definition is gone then. Guests that use it keep running. As with libvirt, they
 * keep a bridge or device of the host, and lose the connection to a bridge that the network has made. Throws "not-found".
 */
export async function destroyNetwork(instance: Instance, key: string): Promise<ChangedNetwork> {
  return await changeNetworks(instance, async () => {
    const { active, name, uuid } = findNetwork(instance, key);
    if (active === undefined) return { name, uuid, did: false };
    await deactivateNetwork(instance, { name, uuid }, active);
    return { name, uuid, did: true };
  });
}
