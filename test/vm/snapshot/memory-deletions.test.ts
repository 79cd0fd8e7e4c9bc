// In turn: it takes seconds of a processor.
import { expect, test } from "bun:test";
import type { Instance } from "../../../src/state/instance.ts";
import { listSnapshotMerges } from "../../../src/state/snapshots/snapshot-merge.ts";
import { readSnapshots } from "../../../src/state/snapshots/snapshots.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { recoverBefore } from "../../../src/vm/recover/recover-before.ts";
import { createSnapshot, newSnapshot } from "../../../src/vm/snapshot/create-snapshot.ts";
import { deleteSnapshot } from "../../../src/vm/snapshot/delete-snapshot.ts";
import { redefineSnapshot } from "../../../src/vm/snapshot/redefine-snapshot.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { sampleOf } from "../../sample.ts";
import { IMAGES, machineWithChain } from "../../scenes/block.ts";
import { fileText } from "../../scenes/saving.ts";
import { nodeOn, reapAll, UUID } from "../../scenes/scene.ts";
import { remove } from "../../scenes/snapshots.ts";
import { beStruck, instantsOf } from "../../scenes/strikes.ts";

const TEST_MS = 600_000;
const MEMORY = `${IMAGES}/vm1-mem.s1`;

/** Returns a machine on which the default guest runs, with the snapshot s1 and its memory. */
async function machineThatRuns(): Promise<Machine> {
  const machine = await machineWithChain();
  await take(nodeOn(machine), "s1", MEMORY);
  return machine;
}

async function take(node: Instance, name: string, memory: string): Promise<void> {
  const flags = { isDiskOnly: false, isKept: true, reuses: false };
  const asked = { name, description: undefined, disks: [], memory, flags };
  await createSnapshot(node, UUID, { snapshot: newSnapshot(node, asked) });
}

async function machineThatIsOff(): Promise<Machine> {
  const machine = await machineThatRuns();
  await destroyDomain(nodeOn(machine), "vm1");
  await reapAll(machine);
  return machine;
}

const filesOn = (machine: Machine): string[] =>
  nodeOn(machine)
    .host.listFolder(IMAGES)
    .filter((name) => name.endsWith(".s1"));

/** Has the memory of s1 in another file, as a client may write it. */
async function rename(machine: Machine, file: string): Promise<void> {
  const [stored] = readSnapshots(nodeOn(machine), UUID).snapshots;
  const bytes = new TextEncoder().encode((stored?.xml ?? "").replaceAll(MEMORY, file));
  await redefineSnapshot(nodeOn(machine), UUID, { bytes, flags: { isCurrent: true, isDiskOnly: false } });
}

// qemuSnapshotDiscardExternal() of libvirt
test.each([
  ["runs", machineThatRuns],
  ["is off", machineThatIsOff],
])("a snapshot of a guest that %s is deleted with its memory", async (_, prepare) => {
  const machine = await prepare();
  expect(await remove("s1")(nodeOn(machine))).toEqual([]);
  await reapAll(machine);
  expect([filesOn(machine), listSnapshotMerges(nodeOn(machine))]).toEqual([[], []]);
  expect(machine.violations).toEqual([]);
});

test("without its images, it leaves its memory", async () => {
  const machine = await machineThatRuns();
  await deleteSnapshot(nodeOn(machine), UUID, { name: "s1", which: "one", isMetadataOnly: true });
  expect(filesOn(machine)).toContain("vm1-mem.s1");
});

test("a memory that is gone is not missed", async () => {
  const machine = await machineThatRuns();
  machine.files.remove(MEMORY);
  expect(await remove("s1")(nodeOn(machine))).toEqual([]);
  expect(filesOn(machine)).toEqual([]);
});

test.each<readonly [string, string, (machine: Machine) => Promise<void>]>([
  [
    "an image of another guest",
    `${IMAGES}/private2.raw`,
    (machine) => rename(machine, `${IMAGES}/private2.raw`),
  ],
  [
    "the state of another domain",
    MEMORY,
    async (machine) => {
      const text = fileText(machine, MEMORY).replaceAll(UUID, UUID.replace(/.$/, "9"));
      machine.files.get(MEMORY).bytes = new TextEncoder().encode(text);
    },
  ],
  [
    "the memory of another snapshot",
    MEMORY,
    async (machine) => {
      const other = `${IMAGES}/vm1-mem.s2`;
      await take(nodeOn(machine), "s2", other);
      const [, stored] = readSnapshots(nodeOn(machine), UUID).snapshots;
      const bytes = new TextEncoder().encode((stored?.xml ?? "").replaceAll(other, MEMORY));
      const flags = { isCurrent: true, isDiskOnly: false };
      await redefineSnapshot(nodeOn(machine), UUID, { bytes, flags });
    },
  ],
])("%s stays, and the deletion says so", async (_, file, prepare) => {
  const machine = await machineThatRuns();
  await prepare(machine);
  const left = await remove("s1")(nodeOn(machine));
  expect(left.filter((notice) => notice.startsWith(`${file} stays: `))).toHaveLength(1);
  expect(machine.files.find(file)).toBeDefined();
  expect(readSnapshots(nodeOn(machine), UUID).snapshots.map(({ name }) => name)).not.toContain("s1");
});

test(
  "killed at any call of the host, a deletion leaves snapshot and memory, or neither",
  async () => {
    const results = new Set<string>();
    for (const strike of sampleOf(await instantsOf(machineThatRuns, remove("s1")))) {
      const machine = await machineThatRuns();
      await beStruck(machine, remove("s1"), strike);
      await reapAll(machine);
      expect([strike, (await recoverBefore(nodeOn(machine), "all")).errors]).toEqual([strike, []]);
      const isThere = readSnapshots(nodeOn(machine), UUID).snapshots.length > 0;
      expect([strike, machine.files.find(MEMORY) !== undefined]).toEqual([strike, isThere]);
      if (isThere) await remove("s1")(nodeOn(machine));
      expect([strike, filesOn(machine), listSnapshotMerges(nodeOn(machine))]).toEqual([strike, [], []]);
      results.add(isThere ? "before" : "after");
    }
    expect([...results].sort()).toEqual(["after", "before"]);
  },
  TEST_MS,
);
