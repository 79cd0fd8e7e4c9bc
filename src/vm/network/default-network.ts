import type { Instance } from "../../state/instance.ts";
import { readNetwork } from "../../state/networks/networks.ts";
import { defineNetwork } from "./define-network.ts";
import { type ChangedNetwork, startNetwork } from "./start-network.ts";

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
 * Defines libvirt's default network unless a network of its name is defined, and starts it. A definition stays when the start fails.
 * Throws the errors of defineNetwork() and startNetwork().
 */
export async function createDefaultNetwork(instance: Instance): Promise<ChangedNetwork> {
  if (readNetwork(instance, NAME)?.defined === undefined)
    await defineNetwork(instance, new TextEncoder().encode(DEFAULT));
  return await startNetwork(instance, NAME);
}
