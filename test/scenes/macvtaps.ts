import { getNetworkXml } from "../../src/vm/network/network-facts.ts";
import { createNetwork } from "../../src/vm/network/start-network.ts";
import { getDomainXml } from "../../src/vm/query/domain-xml.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import type { Machine } from "../memory-host/machine.ts";
import { networkXml } from "./networks.ts";
import { domainXml, makeMachine, nodeOn, OTHER, UUID } from "./scene.ts";

/** Returns the MAC address of a card. */
export const mac = (last: string): string => `52:54:00:00:00:${last}`;
/** Returns the XML of a card on the network. */
export const card = (last: string, more = ""): string =>
  `<interface type='network'><mac address='${mac(last)}'/><source network='lan'/>${more}<model type='virtio'/></interface>`;
/** Returns the content of a network of devices. */
export const pool = (mode: string, ...devices: readonly string[]): string =>
  `<forward mode='${mode}'>${devices.map((dev) => `<interface dev='${dev}'/>`).join("")}</forward>`;
/** Message about a network without a free device. */
export const NONE_FREE =
  "internal error: network 'lan' requires exclusive access to interfaces, but none are available";

/** Returns a machine with the devices eth0, eth1 and eth2, and an active network. */
export async function machineWith(content: string): Promise<Machine> {
  const machine = makeMachine();
  for (const name of ["eth0", "eth1", "eth2"]) machine.taps.addBridge(name);
  await createNetwork(nodeOn(machine), networkXml(content));
  return machine;
}

/** Starts the guest vm1 or vm2. */
export async function start(machine: Machine, devices: string, name = "vm1"): Promise<void> {
  await startDomain(nodeOn(machine), domainXml({ devices, name, uuid: name === "vm1" ? UUID : OTHER }));
}

/** Returns the XML of a running guest. */
export async function xmlOf(machine: Machine, name = "vm1"): Promise<string> {
  return (await getDomainXml(nodeOn(machine), name, "running")).xml;
}

/** Returns the devices of a running guest's macvtaps, in the order of its XML. */
export async function devicesOf(machine: Machine, name = "vm1"): Promise<readonly string[]> {
  return [...(await xmlOf(machine, name)).matchAll(/<source network='lan'[^>]* dev='([^']*)'/g)].map(
    ([, dev]) => dev ?? "",
  );
}

/** Returns the XML of the active network. */
export async function networkOf(machine: Machine): Promise<string> {
  return (await getNetworkXml(nodeOn(machine), "lan", "active")).xml;
}
