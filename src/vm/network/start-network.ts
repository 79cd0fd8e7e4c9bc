import { formatNetwork, parseNetwork, parseNetworkText } from "../../network/document.ts";
import { startableNetwork } from "../../network/rules/startable.ts";
import type { Instance } from "../../state/instance.ts";
import { refreshSteps } from "../../state/networks/network-server.ts";
import { readNetwork } from "../../state/networks/networks.ts";
import { carryOut } from "../object-change/carry-out.ts";
import type { Change } from "../object-change/change.ts";
import { planActivation, planDeactivation } from "./activate-network.ts";
import type { NetworkIdentity } from "./define-network.ts";
import { findNetwork } from "./find-network.ts";
import { changeOf, networkChange } from "./network-change.ts";
import { completeForHost } from "./new-network.ts";

/** A network, and whether the call has changed it. */
export interface ChangedNetwork extends NetworkIdentity {
  readonly did: boolean;
}

/**
 * Makes a defined network active. One that is active stays as it is, with its server. Throws "not-found";
 * "unsupported" for a network with parts that svirt does not apply; the errors of planActivation().
 */
export async function startNetwork(instance: Instance, key: string): Promise<ChangedNetwork> {
  return await carryOut(instance, networkStart(key));
}

/** Returns the change of startNetwork(). */
export function networkStart(key: string): Change<ChangedNetwork> {
  return networkChange<ChangedNetwork>(async (instance) => {
    const { active, defined = "", name, uuid } = findNetwork(instance, key);
    const identity = { name, uuid };
    if (active !== undefined) {
      // A server that was killed, or whose update was interrupted.
      const steps = refreshSteps(instance, { network: parseNetworkText(active), uuid });
      const change = changeOf(identity, { command: "net-start", steps, commit: "begin" });
      return { change, result: { ...identity, did: false } };
    }
    const startable = startableNetwork(parseNetworkText(defined));
    const steps = await planActivation(instance, startable, { uuid, xml: defined });
    const change = changeOf(identity, { command: "net-start", steps, commit: "last" });
    return { change, result: { ...identity, did: true } };
  });
}

/**
 * Makes a network active without defining it. If a definition has its name and UUID, the network has that
 * again after its end. Throws "xml", "unsupported"; "in-use" if name and UUID belong to different networks;
 * the errors of planActivation(). networkCreateXML() of libvirt
 */
export async function createNetwork(instance: Instance, bytes: Uint8Array): Promise<ChangedNetwork> {
  return await carryOut(instance, networkCreation(bytes));
}

/** Returns the change of createNetwork(). Throws "xml". */
export function networkCreation(bytes: Uint8Array): Change<ChangedNetwork> {
  const network = parseNetwork(bytes);
  return networkChange<ChangedNetwork>(async (instance) => {
    const completed = completeForHost(instance, network);
    const { name, uuid } = completed;
    if (readNetwork(instance, name)?.active !== undefined)
      return { change: undefined, result: { name, uuid, did: false } };
    const xml = formatNetwork(completed);
    const steps = await planActivation(instance, startableNetwork(completed), { uuid, xml });
    const change = changeOf({ name, uuid }, { command: "net-create", steps, commit: "last" });
    return { change, result: { name, uuid, did: true } };
  });
}

/**
 * Makes a network inactive; a network without a definition is gone then. Its guests keep running. As with
 * libvirt, they keep a bridge or device of the host, and lose the connection to a bridge made by the network.
 * Throws "not-found".
 */
export async function destroyNetwork(instance: Instance, key: string): Promise<ChangedNetwork> {
  return await carryOut(instance, networkEnd(key));
}

/** Returns the change of destroyNetwork(). */
export function networkEnd(key: string): Change<ChangedNetwork> {
  return networkChange<ChangedNetwork>((instance) => {
    const { active, name, uuid } = findNetwork(instance, key);
    if (active === undefined) return { change: undefined, result: { name, uuid, did: false } };
    const steps = planDeactivation(instance, { name, uuid }, active);
    const change = changeOf({ name, uuid }, { command: "net-destroy", steps, commit: "first" });
    return { change, result: { name, uuid, did: true } };
  });
}
