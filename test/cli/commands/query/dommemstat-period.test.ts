import { expect, test } from "bun:test";
import { writeRecord } from "../../../../src/state/record.ts";
import { setStatisticsPeriod } from "../../../../src/vm/tuning/set-statistics-period.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import { recordOf } from "../../../scenes/hotplug.ts";
import { domainXml, makeMachine, nodeOn, sweepAll } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

async function defined(devices = "", isRunning = true): Promise<Machine> {
  const machine = makeMachine();
  machine.qemu = { answers: new Map([["qom-set", {}]]) };
  machine.files.put("/vm.xml", "file", { bytes: domainXml({ devices }) });
  await runOn(machine, "define", "/vm.xml");
  if (isRunning) expect((await runOn(machine, "start", "vm1")).code).toBe(0);
  return machine;
}

const period = async (machine: Machine, ...words: readonly string[]): Promise<string | undefined> =>
  /<stats period='(\d+)'\/>/.exec((await runOn(machine, "dumpxml", "vm1", ...words)).out)?.[1];

// cmdDomMemStat() of libvirt's tools/virsh-domain-monitor.c: with --period nothing is printed.
test("dommemstat --period changes how often the running guest is asked", async () => {
  const machine = await defined();
  expect(await runOn(machine, "dommemstat", "vm1", "--period", "5")).toEqual({ code: 0, out: "\n", err: "" });
  expect([await period(machine), await period(machine, "--inactive")]).toEqual(["5", undefined]);
  await runOn(machine, "dommemstat", "vm1", "--period", "7", "--live", "--config");
  expect([await period(machine), await period(machine, "--inactive")]).toEqual(["7", "7"]);
  await runOn(machine, "dommemstat", "vm1", "--period", "0");
  expect([await period(machine), await period(machine, "--inactive")]).toEqual([undefined, "7"]);
});

test("dommemstat --period changes the definition of a guest that is off", async () => {
  const machine = await defined("", false);
  expect((await runOn(machine, "dommemstat", "vm1", "--period", "3")).code).toBe(0);
  expect(await period(machine)).toBe("3");
});

test.each([
  ["-1", "", "malformed or out of range"],
  ["x", "", "malformed or out of range"],
  ["5", "<memballoon model='none'/>", "memory balloon model must be virtio to set the collection period"],
])("dommemstat --period %s of a guest with %j is refused", async (value, devices, says) => {
  const said = await runOn(await defined(devices), "dommemstat", "vm1", "--period", value);
  expect([said.code, said.err]).toEqual([2, expect.stringContaining(says)]);
});

test("a period is kept after an interrupted change, which is finished first", async () => {
  const machine = await defined();
  const guest = recordOf(machine);
  const change = { what: "attach vdb", stage: "finishing", steps: [], after: [], xml: guest.xml } as const;
  writeRecord(nodeOn(machine), { ...guest, change: { ...change, steps: [], after: [] } });
  await setStatisticsPeriod(nodeOn(machine), { key: "vm1", options: {}, isDryRun: false }, 5);
  await sweepAll(machine);
  expect(recordOf(machine).change).toBeUndefined();
  expect(await period(machine)).toBe("5");
});

test("QEMU is told, by the balloon's own name", async () => {
  const machine = await defined("<memballoon model='virtio'><alias name='ua-mine'/></memballoon>");
  machine.qemu = { refuses: "qom-set" };
  const { code, err } = await runOn(machine, "dommemstat", "vm1", "--period", "5");
  expect([code, err]).toEqual([1, expect.stringContaining("unable to execute QEMU command")]);
  expect(await period(machine)).toBeUndefined();
});
