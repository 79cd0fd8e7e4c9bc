import { expect, test } from "bun:test";
import { imagePath } from "../../../src/domain/devices/disk/images.ts";
import { parseDomainText } from "../../../src/domain/document.ts";
import { readDefinition } from "../../../src/state/definitions.ts";
import { recoverAll } from "../../../src/vm/recover/recover.ts";
import type { Machine } from "../../memory-host/machine.ts";
import {
  commitOn,
  copyOn,
  endOn,
  IMAGES,
  machineWithChain,
  pullOn,
  takeOn,
  waitOn,
} from "../../scenes/block.ts";
import { recordOf, wholeState } from "../../scenes/hotplug.ts";
import { nodeOn, sweepAll, UUID } from "../../scenes/scene.ts";
import {
  beStruck,
  endUnseen,
  instantsOf,
  type Subject,
  type Work,
  withoutInodes,
} from "../../scenes/strikes.ts";
import { type Comparison, describeDeaths, TIMEOUT_MS } from "./deaths.ts";

async function machineAfter(...works: readonly Work[]): Promise<Machine> {
  const machine = await machineWithChain();
  for (const work of works) await work(nodeOn(machine));
  return machine;
}

const CASES: readonly Subject[] = [
  { name: "taking a snapshot", prepare: () => machineWithChain(), work: (node) => takeOn(node) },
  { name: "starting a commit", prepare: () => machineWithChain(), work: (node) => commitOn(node) },
  {
    name: "pivoting to the base",
    prepare: () => machineAfter(takeOn, commitOn, waitOn),
    work: (node) => endOn(node, "pivot"),
  },
  {
    name: "giving a commit up",
    prepare: () => machineAfter(commitOn),
    work: (node) => endOn(node, "abort"),
  },
  { name: "starting a copy", prepare: () => machineWithChain(), work: (node) => copyOn(node) },
  {
    name: "pivoting to a copy",
    prepare: () => machineAfter(copyOn, waitOn),
    work: (node) => endOn(node, "pivot"),
  },
  {
    name: "finding a pull at its end",
    prepare: async () => {
      const machine = await machineAfter(takeOn, (node) => pullOn(node));
      machine.pass(1000);
      return machine;
    },
    work: (node) => recoverAll(node),
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

for (const subject of CASES)
  describeDeaths(subject, COMPARISON, subject.name.startsWith("finding") ? [1] : [0, 1]);

test.each([
  { name: "the base", works: [takeOn, commitOn, waitOn] as const, node: "libvirt-2-storage" },
  { name: "a copy", works: [copyOn, waitOn] as const, node: "libvirt-3-format" },
])(
  "a guest that has gone over to $name, and has ended before anybody looked, has that in its definition",
  async ({ node: adopted, works }) => {
    const work: Work = (node) => endOn(node, "pivot");
    const seen = new Set<boolean>();
    for (const strike of await instantsOf(() => machineAfter(...works), work)) {
      const machine = await machineAfter(...works);
      const before = definitionOf(machine);
      await beStruck(machine, work, strike);
      // From then on the guest may have written to the adopted image.
      const isOver = machine.processes.qemuOf(UUID)?.devices?.mediumOf("virtio-disk0") === adopted;
      endUnseen(machine);
      await sweepAll(machine);
      const place = `${strike.moment} call ${strike.at}`;
      if (isOver) expect([place, definitionOf(machine) === before]).toEqual([place, false]);
      seen.add(isOver);
    }
    expect(seen.size).toBe(2);
  },
  TIMEOUT_MS,
);

test(
  "an overlay that the guest has written into is what its definition names, whoever was killed",
  async () => {
    const instants = await instantsOf(machineWithChain, takeOn);
    const outcomes = new Set<string>();
    for (const strike of instants) {
      const machine = await machineWithChain();
      await beStruck(machine, takeOn, strike);
      const drive = String(machine.processes.qemuOf(UUID)?.devices?.mediumOf("virtio-disk0"));
      const overlay = `${IMAGES}/top.s1`;
      // The guest writes to the current image of its disk.
      const isOver = drive.startsWith("libvirt-3");
      if (isOver) machine.files.get(overlay).bytes = new Uint8Array([...machine.files.get(overlay).bytes, 1]);
      endUnseen(machine);
      await sweepAll(machine);
      const [disk] = parseDomainText(definitionOf(machine)).devices.disks;
      const named = disk === undefined ? "" : imagePath(disk);
      expect([strike.at, strike.moment, named]).toEqual([
        strike.at,
        strike.moment,
        isOver ? overlay : `${IMAGES}/top.qcow2`,
      ]);
      outcomes.add(String(named));
    }
    expect(outcomes.size).toBe(2);
  },
  TIMEOUT_MS,
);
