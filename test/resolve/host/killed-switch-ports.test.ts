import { describe, expect, test } from "bun:test";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { attachDevice, detachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { sampleOf } from "../../sample.ts";
import { deviceOf } from "../../scenes/hotplug.ts";
import { domainXml, nodeOn, reapAll, sweepAll, UUID } from "../../scenes/scene.ts";
import { beStruck, instantsOf, type Work, withoutInodes } from "../../scenes/strikes.ts";
import { ONE, OVS, onSwitch, runningOnSwitch, switched } from "../../scenes/switched.ts";

const TIMEOUT_MS = 120_000;
const ASK = { key: "vm1", options: { live: true }, isDryRun: false };
const start: Work = (node) => startDomain(node, domainXml({ devices: ONE + onSwitch("02", OVS) }));
const attach: Work = (node) => attachDevice(node, ASK, deviceOf(onSwitch("03", OVS)));
const detach: Work = (node) => detachDevice(node, ASK, deviceOf(onSwitch("01", OVS)));

describe("killed before, within and after every call that changes something", () => {
  test.each(["crash", "fail"] as const)(
    "a start leaves no port: %s",
    async (how) => {
      const clean = snapshot(switched().machine);
      const prepare = async (): Promise<Machine> => switched().machine;
      for (const strike of sampleOf(await instantsOf(prepare, start))) {
        const { machine, vswitch } = switched();
        await beStruck(machine, start, { ...strike, how });
        await sweepAll(machine);
        await reapAll(machine);
        const place = `${strike.moment} call ${strike.at}`;
        const isThere = machine.processes.qemuOf(UUID) !== undefined;
        const [is, wanted] = isThere ? [vswitch.names, ["vnet0", "vnet1"]] : [snapshot(machine), clean];
        expect([place, ...is]).toEqual([place, ...wanted]);
      }
    },
    TIMEOUT_MS,
  );

  test.each([
    ["an attach", attach, ["vnet0", "vnet1"]],
    ["a detach", detach, []],
  ] as const)(
    "%s is done wholly or not at all",
    async (_, work, after) => {
      for (const strike of sampleOf(await instantsOf(async () => (await runningOnSwitch()).machine, work))) {
        const { machine, vswitch } = await runningOnSwitch();
        await beStruck(machine, work, strike);
        await sweepAll(machine);
        const place = `${strike.moment} call ${strike.at}`;
        const isDone = vswitch.names.join() === after.join();
        expect([place, ...vswitch.names]).toEqual([place, ...(isDone ? after : ["vnet0"])]);
        await destroyDomain(nodeOn(machine), "vm1");
        await reapAll(machine);
        expect([place, ...withoutInodes(machine)]).toEqual([place, ...withoutInodes(switched().machine)]);
      }
    },
    TIMEOUT_MS,
  );
});
