import { readDefinition } from "../../../src/state/definitions.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { commitOn, copyOn, endOn, IMAGES, takeOn, waitOn } from "../../scenes/block.ts";
import { recordOf, wholeState } from "../../scenes/hotplug.ts";
import { ENCRYPTION, machineWithLuks, withQuickKeys } from "../../scenes/luks.ts";
import { nodeOn } from "../../scenes/scene.ts";
import { type Subject, type Work, withoutInodes } from "../../scenes/strikes.ts";
import { type Comparison, describeDeaths } from "./deaths.ts";

const disk = { name: "vda", snapshot: undefined, driver: undefined, file: `${IMAGES}/over.qcow2` };
const take: Work = (node) => takeOn(withQuickKeys(node), { disks: [{ ...disk, encryption: ENCRYPTION }] });
const copied = { dest: `${IMAGES}/copy.luks`, format: "raw", encryption: ENCRYPTION } as const;

async function machineAfter(...works: readonly Work[]): Promise<Machine> {
  const machine = await machineWithLuks();
  for (const work of works) await work(nodeOn(machine));
  return machine;
}

const CASES: readonly Subject[] = [
  { name: "taking an encrypted snapshot of a LUKS volume", prepare: machineWithLuks, work: take },
  {
    name: "pivoting from an encrypted overlay to the LUKS volume",
    prepare: () => machineAfter(take, (node) => commitOn(node), waitOn),
    work: (node) => endOn(node, "pivot"),
  },
  {
    name: "starting a copy to a new LUKS volume",
    prepare: machineWithLuks,
    work: (node) => copyOn(withQuickKeys(node), copied),
  },
];

function definitionOf(machine: Machine): string {
  return readDefinition(nodeOn(machine), "vm1")?.xml ?? "";
}

const COMPARISON: Comparison = {
  stateOf(machine) {
    // A running job makes progress meanwhile.
    machine.pass(1000);
    return [...wholeState(machine), JSON.stringify(recordOf(machine).jobs), definitionOf(machine)];
  },
  leftOf: (machine) => [...withoutInodes(machine), definitionOf(machine)],
};

for (const subject of CASES) describeDeaths(subject, COMPARISON);
