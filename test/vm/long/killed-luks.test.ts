import { expect, test } from "bun:test";
import { readDefinition } from "../../../src/state/definitions.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { commitOn, copyOn, endOn, IMAGES, takeOn, waitOn } from "../../scenes/block.ts";
import { recordOf, wholeState } from "../../scenes/hotplug.ts";
import { ENCRYPTION, machineWithLuks, withQuickKeys } from "../../scenes/luks.ts";
import { nodeOn, sweepAll } from "../../scenes/scene.ts";
import { type Subject, strikeEverywhere, type Work } from "../../scenes/strikes.ts";
import { TIMEOUT_MS } from "./deaths.ts";

const disk = { name: "vda", snapshot: undefined, driver: undefined, file: `${IMAGES}/over.qcow2` };
const take: Work = (node) => takeOn(withQuickKeys(node), { disks: [{ ...disk, encryption: ENCRYPTION }] });
const copied = { dest: `${IMAGES}/copy.luks`, format: "raw", encryption: ENCRYPTION } as const;

async function machineAfter(...works: readonly Work[]): Promise<Machine> {
  const machine = await machineWithLuks();
  for (const work of works) await work(nodeOn(machine));
  return machine;
}

const CASES: readonly Subject[] = [
  {
    name: "starting a copy to a new LUKS volume",
    prepare: machineWithLuks,
    work: (node) => copyOn(withQuickKeys(node), copied),
  },
  { name: "taking an encrypted snapshot of a LUKS volume", prepare: machineWithLuks, work: take },
  {
    name: "pivoting from an encrypted overlay to the LUKS volume",
    prepare: () => machineAfter(take, (node) => commitOn(node), waitOn),
    work: (node) => endOn(node, "pivot"),
  },
];

/** The files with their labels, QEMU's nodes and secrets, and both forms of the domain. */
function stateOf(machine: Machine): string {
  // A running job makes progress meanwhile.
  machine.pass(1000);
  const definition = readDefinition(nodeOn(machine), "vm1")?.xml ?? "";
  return [...wholeState(machine), JSON.stringify(recordOf(machine).jobs), definition].join("\n");
}

test.each(CASES)(
  "$name, killed before, within and after every call that changes something, is undone or finished by the next svirt",
  async (subject) => {
    const worked = await subject.prepare();
    await subject.work(nodeOn(worked));
    const known = [stateOf(await subject.prepare()), stateOf(worked)];
    const seen = new Set<number>();
    await strikeEverywhere(subject, "crash", async (machine, place) => {
      await sweepAll(machine);
      const now = stateOf(machine);
      expect([place, known.includes(now) || now]).toEqual([place, true]);
      seen.add(known.indexOf(now));
    });
    expect([...seen].toSorted()).toEqual([0, 1]);
  },
  TIMEOUT_MS,
);
