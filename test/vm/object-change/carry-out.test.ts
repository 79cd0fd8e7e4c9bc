import { expect, test } from "bun:test";
import { registryLock, SYSTEM_PATHS } from "../../../src/plan/paths.ts";
import { auditNode } from "../../../src/vm/audit/audit-node.ts";
import { defineNetwork } from "../../../src/vm/network/define-network.ts";
import { destroyNetwork, startNetwork } from "../../../src/vm/network/start-network.ts";
import { recoverAll } from "../../../src/vm/recover/recover.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { LAN_UUID, networkXml } from "../../scenes/networks.ts";
import { makeMachine, nodeOn } from "../../scenes/scene.ts";
import { beStruck, instantsOf, type Work } from "../../scenes/strikes.ts";

const CONTENT =
  "<bridge name='virbr7'/><mac address='52:54:00:00:00:77'/><ip address='10.0.0.1' prefix='24'/>";
const RECORD = `/etc/svirt/changes/network-${LAN_UUID}.json`;
const start: Work = (node) => startNetwork(node, "lan");

async function defined(): Promise<Machine> {
  const machine = makeMachine();
  machine.files.putFolder("/sys/class/net");
  await defineNetwork(nodeOn(machine), networkXml(CONTENT, "lan", LAN_UUID));
  return machine;
}

/** Returns a machine with the record of a start that was killed. */
async function killed(): Promise<Machine> {
  for (const strike of await instantsOf(defined, start)) {
    const machine = await defined();
    await beStruck(machine, start, strike);
    if (machine.files.find("/sys/class/net/virbr7") !== undefined) return machine;
  }
  throw new Error("no kill leaves a bridge");
}

test("svirt audit names an interrupted change, unless the call that carries it out still holds the lock", async () => {
  const machine = await killed();
  const finding = "net-start lan: was interrupted, and is neither undone nor finished; run svirt recover";
  expect((await auditNode(nodeOn(machine))).findings).toEqual([finding]);
  const { host } = nodeOn(machine);
  const unlock = await host.lock(registryLock(SYSTEM_PATHS), 0);
  expect((await auditNode(nodeOn(machine))).findings).toEqual([]);
  unlock();
  expect((await recoverAll(nodeOn(machine))).settled).toEqual(["net-start lan"]);
  expect((await auditNode(nodeOn(machine))).findings).toEqual([]);
});

test("without space on the disk a change is recorded in /run, and an active network can be ended", async () => {
  const machine = await defined();
  await start(nodeOn(machine));
  machine.isDiskFull = true;
  const seen: boolean[] = [];
  const { host, ...node } = nodeOn(machine);
  const removeBridge: typeof host.removeBridge = (mark) => {
    seen.push(machine.files.find(RECORD.replace("/etc/", "/run/")) !== undefined);
    host.removeBridge(mark);
  };
  const { did } = await destroyNetwork({ ...node, host: { ...host, removeBridge } }, "lan");
  expect([did, ...seen]).toEqual([true, true]);
  expect(nodeOn(machine).host.listFolder("/run/svirt/changes")).toEqual([]);
});

test("a change that another process has finished meanwhile is not settled again", async () => {
  const machine = await killed();
  await start(nodeOn(machine));
  expect(machine.files.find(RECORD)).toBeUndefined();
  expect((await recoverAll(nodeOn(machine))).settled).toEqual([]);
  expect(machine.files.find("/sys/class/net/virbr7")).toBeDefined();
});
