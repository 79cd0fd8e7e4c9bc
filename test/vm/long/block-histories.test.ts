import { expect, test } from "bun:test";
import fc from "fast-check";
import { imagePath } from "../../../src/domain/devices/disk/images.ts";
import { parseDomainText } from "../../../src/domain/document.ts";
import { listQemuObjects } from "../../../src/plan/record/qemu-objects.ts";
import { readDefinition } from "../../../src/state/definitions.ts";
import { isRunning, readRecords } from "../../../src/state/record.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { recoverAll } from "../../../src/vm/recover/recover.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import type { Strike } from "../../memory-host/svirt.ts";
import { commitOn, copyOn, endOn, IMAGES, pullOn, takeOn, waitOn } from "../../scenes/block.ts";
import { expectUnlabelled, OTHER } from "../../scenes/block-checks.ts";
import { diskXml, domainXml, labelOf, makeMachine, nodeOn, sweepAll, UUID } from "../../scenes/scene.ts";
import type { Work } from "../../scenes/strikes.ts";

const TIMEOUT_MS = 240_000;

/** Events with their weights. A pivot requires an earlier job that has come far enough. */
const ACTS = {
  start: 3,
  "start-other": 1,
  destroy: 1,
  "destroy-other": 2,
  end: 1,
  reboot: 1,
  snapshot: 4,
  commit: 4,
  copy: 4,
  pull: 1,
  wait: 6,
  pivot: 8,
  abort: 1,
  sweep: 1,
} as const;
type Act = keyof typeof ACTS;

const act = fc.oneof(
  ...Object.entries(ACTS).map(([name, weight]) => ({ weight, arbitrary: fc.constant(name as Act) })),
);
const strike = fc.record({
  at: fc.integer({ min: 1, max: 60 }),
  moment: fc.constantFrom("before", "within", "after"),
  how: fc.constantFrom("crash", "fail"),
});
const history = fc.array(fc.record({ act, strike: fc.option(strike, { nil: undefined, freq: 4 }) }), {
  minLength: 3,
  maxLength: 20,
});

/** Returns the work of an event. `count` makes the names of new images unique. */
function workOf(act: Act, count: number): Work | undefined {
  switch (act) {
    case "start":
      return (node) => startDomain(node, encode(readDefinition(node, "vm1")?.xml ?? ""));
    case "start-other":
      return (node) => startDomain(node, encode(readDefinition(node, "vm2")?.xml ?? ""));
    case "destroy":
      return (node) => destroyDomain(node, "vm1");
    case "destroy-other":
      return (node) => destroyDomain(node, "vm2");
    case "snapshot":
      return (node) => takeOn(node, { name: `s${count}` });
    case "commit":
      return (node) => commitOn(node, { isShallow: count % 2 === 0 });
    case "copy":
      return (node) => copyOn(node, { dest: `${IMAGES}/copy${count}.qcow2`, isShallow: count % 2 === 0 });
    case "pull":
      return (node) => pullOn(node);
    case "wait":
      return waitOn;
    case "pivot":
      return (node) => endOn(node, "pivot");
    case "abort":
      return (node) => endOn(node, "abort");
    case "sweep":
      return recoverAll;
    case "end":
    case "reboot":
      return undefined;
  }
}

async function happen(
  machine: Machine,
  act: Act,
  facts: { count: number; strike: Strike | undefined },
): Promise<void> {
  const work = workOf(act, facts.count);
  if (act === "reboot") machine.reboot();
  if (act === "end") machine.processes.end(machine.processes.qemuOf(UUID)?.pid ?? 0, 0);
  if (work === undefined) return;
  const node = nodeOn(machine, facts.strike);
  await work(node).catch(() => undefined);
  node.svirt.exit();
}

/** Returns a machine with two guests whose images have the same backing file. */
async function machineWithTwo(): Promise<Machine> {
  const machine = makeMachine();
  const { bytes } = machine.files.get(`${IMAGES}/top.qcow2`);
  const label = labelOf(machine, `${IMAGES}/top.qcow2`) ?? "";
  machine.files.put(`${IMAGES}/top2.qcow2`, "file", { bytes }).xattrs.set("security.selinux", label);
  await defineDomain(nodeOn(machine), domainXml({ disks: diskXml(`${IMAGES}/top.qcow2`, "vda") }));
  const disks = diskXml(`${IMAGES}/top2.qcow2`, "vda");
  await defineDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER, disks }));
  return machine;
}

/**
 * Expects, for each guest without a pending change, that its files have the labels of its record. Without
 * jobs, the record must also match QEMU.
 */
function expectLabelled(machine: Machine): void {
  const node = nodeOn(machine);
  for (const record of readRecords(node)) {
    if (!isRunning(node, record) || record.change !== undefined) continue;
    if (record.jobs === undefined) {
      const drive = listQemuObjects(record.steps).devices.get("virtio-disk0")?.["drive"];
      expect(machine.processes.qemuOf(record.uuid)?.devices?.mediumOf("virtio-disk0")).toBe(drive);
    }
    for (const step of record.steps)
      if (step.do === "set-label")
        expect([step.file.path, labelOf(machine, step.file.path)]).toEqual([step.file.path, step.to]);
  }
}

test(
  "any order of snapshots, jobs, ends, crashes and failures leaves every label as it was, and definitions that start",
  async () => {
    await fc.assert(
      fc.asyncProperty(history, async (acts) => {
        const machine = await machineWithTwo();
        await startDomain(nodeOn(machine), encode(readDefinition(nodeOn(machine), "vm1")?.xml ?? ""));
        for (const [count, { act, strike: struck }] of acts.entries()) {
          await happen(machine, act, { count, strike: struck });
          expectLabelled(machine);
          expect(machine.violations).toEqual([]);
        }
        machine.pass(1000);
        machine.reaps.splice(0);
        await sweepAll(machine);
        for (const name of ["vm1", "vm2"]) {
          await destroyDomain(nodeOn(machine), name).catch(() => undefined);
          const [disk] = parseDomainText(readDefinition(nodeOn(machine), name)?.xml ?? "").devices.disks;
          const path = disk === undefined ? undefined : imagePath(disk);
          expect([path, machine.files.find(path ?? "") !== undefined]).toEqual([path, true]);
        }
        machine.pass(1000);
        machine.reaps.splice(0);
        await sweepAll(machine);
        expectUnlabelled(machine);
      }),
      { numRuns: 400 },
    );
  },
  TIMEOUT_MS,
);

function encode(xml: string): Uint8Array {
  return new TextEncoder().encode(xml);
}
