import { describe, expect, test } from "bun:test";
import { withGuestLock } from "../../../src/state/locks.ts";
import { auditNode } from "../../../src/vm/audit/audit-node.ts";
import type { Ask } from "../../../src/vm/change/change-domain.ts";
import { detachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { getNetworkFacts } from "../../../src/vm/network/network-facts.ts";
import { createNetwork } from "../../../src/vm/network/start-network.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { runOn } from "../../cli/in-memory.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { deviceOf, recordOf } from "../../scenes/hotplug.ts";
import { networkXml } from "../../scenes/networks.ts";
import { domainXml, errorOf, makeMachine, nodeOn, putText, UUID } from "../../scenes/scene.ts";

const CARD =
  "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='lan'/><model type='virtio'/>" +
  "<bandwidth><outbound average='100'/></bandwidth><filterref filter='no-mac-spoofing'/></interface>";
const NAT =
  "<forward mode='nat'/><bridge name='virbr7'/><ip address='192.168.150.1' prefix='24'/><bandwidth><outbound average='1000'/></bandwidth>";
const FILTER = `netdev svirt_${UUID.replaceAll("-", "")}_vnet0`;

async function running(): Promise<Machine> {
  const machine = makeMachine();
  putText(machine, "/proc/sys/net/ipv4/ip_forward", "1\n");
  await createNetwork(nodeOn(machine), networkXml(NAT));
  await startDomain(nodeOn(machine), domainXml({ devices: CARD }));
  return machine;
}

const findings = async (machine: Machine): Promise<readonly string[]> =>
  (await auditNode(nodeOn(machine))).findings;
const tablesOn = (machine: Machine) => [...machine.packetRules.tables].toSorted();

describe("the rules of a running guest and an active network", () => {
  test("are as they were set, and recover leaves them alone", async () => {
    const machine = await running();
    expect([machine.packetRules.tables.size, await findings(machine)]).toEqual([4, []]);
    expect(await runOn(machine, "recover")).toMatchObject({ code: 0, out: "" });
  });

  test("are missing in an audit after nft flush ruleset, and recover sets them again", async () => {
    const machine = await running();
    const before = tablesOn(machine);
    machine.packetRules.clear();
    const id = getNetworkFacts(nodeOn(machine), "lan").uuid.replaceAll("-", "");
    const missing = (owner: string, table: string): string =>
      `${owner}: the table ${table} of the packet filter is missing; run svirt recover`;
    expect((await findings(machine)).toSorted()).toEqual([
      missing("network lan", `ip svirt_${id}`),
      missing("network lan", `netdev svirt_limit_${id}_virbr7`),
      missing("vm1", FILTER),
      missing("vm1", FILTER.replace("svirt_", "svirt_limit_")),
    ]);
    expect((await runOn(machine, "recover")).out).toBe(
      "Packet rules of domain 'vm1' set again\nPacket rules of network 'lan' set again\n",
    );
    expect([tablesOn(machine), await findings(machine)]).toEqual([before, []]);
  });

  test("differ in an audit if a chain of a filter has lost its rules, and recover sets that table alone", async () => {
    const machine = await running();
    const { tables } = machine.packetRules;
    const text = tables.get(FILTER) ?? "";
    tables.set(FILTER, text.replace(/^ {4}(?!type).*\n/gm, ""));
    expect(tables.get(FILTER)).not.toBe(text);
    expect(await findings(machine)).toEqual([
      `vm1: the table ${FILTER} of the packet filter has other rules than svirt has set; run svirt recover`,
    ]);
    expect((await runOn(machine, "recover")).out).toBe("Packet rules of domain 'vm1' set again\n");
    expect([tables.get(FILTER), await findings(machine)]).toEqual([text, []]);
  });

  test("are found and set again for a guest that does not release the card that is detached", async () => {
    const machine = await running();
    const before = tablesOn(machine);
    machine.qemu = { keepsDevices: true };
    const ask: Ask = { key: "vm1", options: { live: true }, isDryRun: false };
    const error = await errorOf(detachDevice(nodeOn(machine), ask, deviceOf(CARD)));
    expect([error.kind as string, recordOf(machine).asked]).toEqual(["timeout", ["net0"]]);
    machine.packetRules.clear();
    expect(await findings(machine)).toContain(
      `vm1: the table ${FILTER} of the packet filter is missing; run svirt recover`,
    );
    await runOn(machine, "recover");
    expect(tablesOn(machine)).toEqual(before);
  });

  test("are an error of recover while another svirt holds the guest's lock", async () => {
    const machine = await running();
    machine.packetRules.clear();
    await withGuestLock(nodeOn(machine), UUID, async () => {
      const { code, err, out } = await runOn(machine, "recover");
      expect([code, out]).toEqual([7, "Packet rules of network 'lan' set again\n"]);
      expect(err).toContain("Cannot set the packet rules of domain 'vm1' again: another svirt works on it");
    });
    expect((await runOn(machine, "recover")).out).toBe("Packet rules of domain 'vm1' set again\n");
  });

  test("cannot be checked without nft, which an audit and recover report", async () => {
    const machine = await running();
    machine.packetRules.isThere = false;
    expect(await findings(machine)).toEqual([
      expect.stringMatching(/^the rules of guests and networks cannot be checked: .*; remedy: ./),
    ]);
    const { code, err } = await runOn(machine, "recover");
    // As of every command that has done a part. PARTLY
    expect([code, err]).toEqual([7, expect.stringContaining("list rules of the packet filter")]);
  });
});

test("without rules of its own svirt does not call nft", async () => {
  const machine = makeMachine();
  machine.packetRules.isThere = false;
  await startDomain(nodeOn(machine), domainXml());
  expect(await findings(machine)).toEqual([]);
  expect(await runOn(machine, "recover")).toMatchObject({ code: 0, err: "" });
});
