import { describe, expect, test } from "bun:test";
import { imagePath } from "../../../src/domain/disk-images.ts";
import { parseDomainText } from "../../../src/domain/document.ts";
import { readDefinition } from "../../../src/vm/definitions.ts";
import { destroyDomain } from "../../../src/vm/destroy.ts";
import { sweep } from "../../../src/vm/settle.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { commitOn, copyOn, endOn, IMAGES, machineWithChain, pullOn, takeOn, waitOn } from "../block-scene.ts";
import { leftState, recordOf, wholeState } from "../hotplug-scene.ts";
import { nodeOn, reapAll, sweepAll, UUID } from "../scene.ts";
import { beStruck, endUnseen, instantsOf, type Subject, strikeEverywhere, type Work } from "../strikes.ts";

/** Hundreds of deaths: on a busy machine more than the runner's five seconds. */
const TIMEOUT_MS = 240_000;

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
    work: (node) => sweep(node),
  },
];

/** Half-written files are of the kind that nobody reads. */
async function endedState(machine: Machine): Promise<string> {
  await destroyDomain(nodeOn(machine), "vm1");
  await reapAll(machine);
  return [...machine.violations, ...leftState(machine), definitionOf(machine)].join("\n");
}

function definitionOf(machine: Machine): string {
  return readDefinition(nodeOn(machine), "vm1")?.xml ?? "";
}

/** A job at work goes on meanwhile. */
function stateOf(machine: Machine): string {
  machine.pass(1000);
  return [...wholeState(machine), JSON.stringify(recordOf(machine).jobs), definitionOf(machine)].join("\n");
}

/** Before the work, and after; while the guest runs, and once it has ended. */
async function statesOf({ prepare, work }: Subject): Promise<{ running: string[]; ended: string[] }> {
  const [running, ended]: [string[], string[]] = [[], []];
  for (const isWorked of [false, true]) {
    const machine = await prepare();
    if (isWorked) await work(nodeOn(machine));
    running.push(stateOf(machine));
    ended.push(await endedState(machine));
  }
  return { running, ended };
}

/** The machine is as before the work or as after it, also once the guest has ended. Gives which of the two. */
async function expectKnown(
  machine: Machine,
  place: string,
  { ended, running }: Awaited<ReturnType<typeof statesOf>>,
): Promise<number> {
  const now = stateOf(machine);
  const at = running.indexOf(now);
  expect([place, at === -1 ? now : "known"]).toEqual([place, "known"]);
  expect([place, await endedState(machine)]).toEqual([place, ended[at] ?? ""]);
  return at;
}

describe.each([...CASES])(
  "$name, killed before, within and after every call that changes something",
  (subject) => {
    test(
      "is undone or finished by the next svirt, and nothing is left when the guest has ended",
      async () => {
        const states = await statesOf(subject);
        const seen = new Set<number>();
        await strikeEverywhere(subject, "crash", async (machine, place) => {
          await sweepAll(machine);
          seen.add(await expectKnown(machine, place, states));
        });
        expect([...seen].toSorted()).toEqual(subject.name.startsWith("finding") ? [1] : [0, 1]);
      },
      TIMEOUT_MS,
    );

    test(
      "leaves no label and no claim when the guest ends before anybody looks",
      async () => {
        const { ended } = await statesOf(subject);
        await strikeEverywhere(subject, "crash", async (machine, place) => {
          endUnseen(machine);
          await sweepAll(machine);
          const now = [...machine.violations, ...leftState(machine), definitionOf(machine)].join("\n");
          expect([place, ended.includes(now) ? "known" : now]).toEqual([place, "known"]);
        });
      },
      TIMEOUT_MS,
    );

    test(
      "throws when that call fails instead, and is undone or finished by the next svirt",
      async () => {
        const states = await statesOf(subject);
        await strikeEverywhere(subject, "fail", async (machine, place) => {
          await sweepAll(machine);
          await expectKnown(machine, place, states);
        });
      },
      TIMEOUT_MS,
    );
  },
);

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
      // From then on it may have written there.
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
      // The guest writes to what its disk is now.
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
