import type { NetworkUpdate } from "../../src/network/edits/update.ts";
import { defineNetwork } from "../../src/vm/network/define-network.ts";
import { findNetwork } from "../../src/vm/network/find-network.ts";
import { startNetwork } from "../../src/vm/network/start-network.ts";
import type { Machine } from "../memory-host/machine.ts";
import { networkXml } from "./networks.ts";
import { makeMachine, nodeOn } from "./scene.ts";

/** Content of a network of one device. */
export const POOL = "<forward mode='passthrough'><interface dev='eth0'/></forward>";
/** Options for the definition and the active network. */
export const BOTH = { live: true, config: true };

/** Returns the update of one entry. */
export function update(
  section: NetworkUpdate["section"],
  entry: string,
  command: NetworkUpdate["command"] = "add-last",
) {
  return { section, command, entry: new TextEncoder().encode(entry), parentIndex: undefined };
}

/** Adds a port group. */
export const WEB = update("portgroup", "<portgroup name='web'/>");

/** Returns a machine with the devices eth0 and eth1, and an active network with a definition. */
export async function started(content = POOL): Promise<Machine> {
  const machine = makeMachine();
  for (const name of ["eth0", "eth1"]) machine.taps.addBridge(name);
  await defineNetwork(nodeOn(machine), networkXml(content));
  await startNetwork(nodeOn(machine), "lan");
  return machine;
}

/** Returns which documents of the network have a text. */
export function having(machine: Machine, text: string): readonly string[] {
  const { active, defined: stored } = findNetwork(nodeOn(machine), "lan");
  return [
    ...(active?.includes(text) === true ? ["active"] : []),
    ...(stored?.includes(text) === true ? ["defined"] : []),
  ];
}
