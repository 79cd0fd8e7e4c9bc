import { expect, test } from "bun:test";
import { auditNode } from "../../../src/vm/audit/audit-node.ts";
import { defineNetwork } from "../../../src/vm/network/define-network.ts";
import { destroyNetwork, startNetwork } from "../../../src/vm/network/start-network.ts";
import { networkXml } from "../../scenes/networks.ts";
import { makeMachine, nodeOn } from "../../scenes/scene.ts";

test("an isolated network has rules in both directions from its start until its end, and an audit misses them", async () => {
  const machine = makeMachine();
  const { tables } = machine.packetRules;
  await defineNetwork(nodeOn(machine), networkXml("<bridge name='virbr7'/>"));
  await startNetwork(nodeOn(machine), "lan");
  expect([...tables.keys()].map((name) => name.split(" ")[0])).toEqual(["ip", "ip6"]);
  for (const text of tables.values()) {
    expect(text).toContain('oifname "virbr7" counter drop');
    expect(text).toContain('iifname "virbr7" counter drop');
  }
  expect((await auditNode(nodeOn(machine))).findings).toEqual([]);
  const [ipv4 = ""] = tables.keys();
  tables.delete(ipv4);
  expect((await auditNode(nodeOn(machine))).findings).toEqual([
    `network lan: the table ${ipv4} of the packet filter is missing; run svirt recover`,
  ]);
  await destroyNetwork(nodeOn(machine), "lan");
  expect(tables.size).toBe(0);
});
