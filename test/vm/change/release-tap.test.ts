import { describe, expect, test } from "bun:test";
import { registryOf } from "../../../src/state/instance.ts";
import { auditNode } from "../../../src/vm/audit/audit-node.ts";
import type { Ask } from "../../../src/vm/change/change-domain.ts";
import { attachDevice, detachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { runOn } from "../../cli/in-memory.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { deviceOf, recordOf, wholeState } from "../../scenes/hotplug.ts";
import { domainXml, errorOf, makeMachine, nodeOn, sweepAll, UUID } from "../../scenes/scene.ts";

const ASK: Ask = { key: "vm1", options: { live: true }, isDryRun: false };
const MAC = "<mac address='52:54:00:00:00:09'/>";
const KINDS = [
  {
    kind: "made by svirt",
    name: "vnet0",
    xml: `<interface type='bridge'>${MAC}<source bridge='br0'/></interface>`,
  },
  {
    kind: "that an administrator made persistent",
    name: "lasting",
    xml: `<interface type='ethernet'>${MAC}<target dev='lasting' managed='no'/></interface>`,
  },
] as const;

async function running(): Promise<Machine> {
  const machine = makeMachine();
  machine.taps.addBridge("br0");
  machine.taps.addPersistent("lasting");
  await startDomain(nodeOn(machine), domainXml());
  return machine;
}

const detach = (machine: Machine, xml: string) => detachDevice(nodeOn(machine), ASK, deviceOf(xml));
const holders = (machine: Machine, name: string): readonly string[] =>
  registryOf(nodeOn(machine))
    .listHolders("tap", name)
    .map(({ owner }) => owner);

/** Returns a machine whose QEMU leaves a detached tap to vhost-net. */
async function liar(xml: string): Promise<Machine> {
  const machine = await running();
  await attachDevice(nodeOn(machine), ASK, deviceOf(xml));
  machine.qemu = { keepsTaps: true };
  return machine;
}

describe.each(KINDS)("a tap $kind", ({ name, xml }) => {
  test("is given back at once by an honest QEMU", async () => {
    const machine = await running();
    const before = wholeState(machine);
    await attachDevice(nodeOn(machine), ASK, deviceOf(xml));
    expect(holders(machine, name)).toEqual([UUID]);
    const { nowMs } = machine;
    await detach(machine, xml);
    expect(machine.nowMs - nowMs).toBeLessThan(1000);
    expect(holders(machine, name)).toEqual([]);
    expect(wholeState(machine)).toEqual(before);
  });

  test("keeps its claim while vhost-net has it, which shows no descriptor of it", async () => {
    const machine = await liar(xml);
    const error = await errorOf(detach(machine, xml));
    expect([error.kind, error.exitCode]).toEqual(["partly", 7]);
    expect(error.message).toContain(`still holds the tap ${name} (`);
    expect(error.remedy).toContain("svirt destroy");
    expect(holders(machine, name)).toEqual([UUID]);
    expect(recordOf(machine).change?.what).toStartWith("detach ");
    expect(machine.svirt().host.listFolder("/sys/class/net")).toContain(name);
  });

  test("is told of by audit and explain until it is let go, and then given back by any call", async () => {
    const machine = await liar(xml);
    await errorOf(detach(machine, xml));
    expect((await auditNode(nodeOn(machine))).findings.join()).toContain(`still holds the tap ${name} (`);
    expect((await runOn(machine, "explain", "vm1")).out).toContain(`still holds the tap ${name} (`);
    expect((await errorOf(sweepAll(machine))).kind).toBe("partly");
    machine.taps.letGo(machine.processes.qemuOf(UUID)?.pid ?? 0);
    await sweepAll(machine);
    expect(holders(machine, name)).toEqual([]);
    expect([(await auditNode(nodeOn(machine))).findings, recordOf(machine).change]).toEqual([[], undefined]);
  });
});

test("a tap that QEMU keeps is off its bridge and down at once, and stays so in later calls", async () => {
  const [{ name, xml }] = KINDS;
  const machine = await liar(xml);
  const isConnected = (): readonly boolean[] =>
    [`br0/brif/${name}`, `${name}/operstate`].map(
      (path) => machine.files.find(`/sys/class/net/${path}`) !== undefined,
    );
  expect(isConnected()).toEqual([true, true]);
  await errorOf(detach(machine, xml));
  expect([isConnected(), holders(machine, name)]).toEqual([[false, false], [UUID]]);
  await errorOf(sweepAll(machine));
  expect([isConnected(), holders(machine, name)]).toEqual([[false, false], [UUID]]);
});

test("a tap of an attachment that fails is off its bridge and down while QEMU keeps it", async () => {
  const [{ name, xml }] = KINDS;
  const machine = await running();
  machine.qemu = { keepsTaps: true, refuses: "device_add" };
  await errorOf(attachDevice(nodeOn(machine), ASK, deviceOf(xml)));
  expect(machine.files.find(`/sys/class/net/br0/brif/${name}`)).toBeUndefined();
});

test("an interface of that name that is no tap is another one's, and holds nothing up", async () => {
  const [{ name, xml }] = KINDS;
  const machine = await liar(xml);
  await errorOf(detach(machine, xml));
  machine.taps.letGo(machine.processes.qemuOf(UUID)?.pid ?? 0);
  machine.taps.addBridge(name);
  await sweepAll(machine);
  expect(holders(machine, name)).toEqual([]);
});
