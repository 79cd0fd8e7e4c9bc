import { expect, test } from "bun:test";
import { defineNetwork } from "../../../src/vm/network/define-network.ts";
import { destroyNetwork, startNetwork } from "../../../src/vm/network/start-network.ts";
import { updateStoredNetwork } from "../../../src/vm/network/update-network.ts";
import { BOTH, POOL, update } from "../../scenes/network-updates.ts";
import { networkXml } from "../../scenes/networks.ts";
import { makeMachine, nodeOn } from "../../scenes/scene.ts";

// Guests' sockets lie below the folder: each QEMU's user must be able to pass it.
test.each([
  ["a made bridge", "<ip address='10.0.0.1' prefix='24'/>"],
  ["the host's interfaces", POOL],
])("a network with %s leaves the mode of guests' common folder as it is", async (_, content) => {
  const machine = makeMachine();
  const node = nodeOn(machine);
  const folder = machine.files.putFolder("/run/svirt");
  folder.mode = 0o711;
  await defineNetwork(node, networkXml(content));
  await startNetwork(node, "lan");
  expect(folder.mode).toBe(0o711);
  const group = update("portgroup", "<portgroup name='a'/>");
  await updateStoredNetwork(node, "lan", { options: BOTH, update: group });
  expect(folder.mode).toBe(0o711);
  await destroyNetwork(node, "lan");
  expect(folder.mode).toBe(0o711);
});
