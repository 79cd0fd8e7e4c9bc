import { formatNetwork, parseNetworkText } from "../../network/document.ts";
import { startableNetwork } from "../../network/rules/startable.ts";
import type { Instance } from "../../state/instance.ts";
import { networkStore, readNetwork } from "../../state/networks/networks.ts";
import { carryOut } from "../object-change/carry-out.ts";
import type { Change } from "../object-change/change.ts";
import { planActivation } from "./activate-network.ts";
import { changeOf, networkChange } from "./network-change.ts";
import { completeForHost } from "./new-network.ts";
import { type ChangedNetwork, networkStart } from "./start-network.ts";

const NAME = "default";
/** libvirt's default network, src/network/default.xml.in of libvirt. */
const DEFAULT = `<network>
  <name>${NAME}</name>
  <bridge name='virbr0'/>
  <forward/>
  <ip address='192.168.122.1' netmask='255.255.255.0'>
    <dhcp>
      <range start='192.168.122.2' end='192.168.122.254'/>
    </dhcp>
  </ip>
</network>`;

/**
 * Defines libvirt's default network unless a network of its name is defined, and starts it. If the start
 * fails, the definition is removed again. Throws the errors of defineNetwork() and startNetwork().
 */
export async function createDefaultNetwork(instance: Instance): Promise<ChangedNetwork> {
  return await carryOut(instance, defaultNetworkCreation());
}

/** Returns the change of createDefaultNetwork(). */
export function defaultNetworkCreation(): Change<ChangedNetwork> {
  return networkChange(async (instance) => {
    if (readNetwork(instance, NAME)?.defined !== undefined) return await networkStart(NAME).plan(instance);
    const isActive = readNetwork(instance, NAME)?.active !== undefined;
    const completed = completeForHost(instance, parseNetworkText(DEFAULT));
    const { name, uuid } = completed;
    const xml = formatNetwork(completed);
    const define = networkStore.defineStep(instance, name, xml);
    const start = isActive ? [] : await planActivation(instance, startableNetwork(completed), { uuid, xml });
    const steps = [define, ...start];
    const change = changeOf({ name, uuid }, { command: "net-create-default", steps, commit: "last" });
    return { change, result: { name, uuid, did: !isActive } };
  });
}
