// In turn: it takes seconds of a processor.
import { describe, expect, test } from "bun:test";
import { formatSteps } from "../../../src/plan/steps/describe.ts";
import type { Step } from "../../../src/plan/steps/step.ts";
import { planWork } from "../../../src/vm/block/plan-conclusions.ts";
import { pullLive } from "../../../src/vm/block/pull.ts";
import { managedSaveDomain } from "../../../src/vm/save/save-domain.ts";
import { createSnapshot, newSnapshot, planSnapshot } from "../../../src/vm/snapshot/create-snapshot.ts";
import { planDeletion } from "../../../src/vm/snapshot/plan-deletion.ts";
import { planDomainRevert, revertDomain } from "../../../src/vm/snapshot/revert-memory.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { IMAGES, machineWithChain, pullOn, waitOn } from "../../scenes/block.ts";
import { errorOf, nodeOn, UUID } from "../../scenes/scene.ts";
import { machineThatIsOff, machineThatRuns, remove } from "../../scenes/snapshots.ts";

const LABEL = "security.selinux";
const MEMORY = `${IMAGES}/vm1-mem.s1`;

/** Returns the labels that steps set on images: path and label, in their order. */
function labelsIn(steps: readonly Step[]): readonly string[] {
  return formatSteps(steps)
    .split("\n")
    .flatMap((line) => {
      const [, path, label] = /^ *\d+ {2}label (\S+): .* -> (\S+)(?: \(\w+\))?$/.exec(line) ?? [];
      return path === undefined ? [] : [`${path} ${label}`];
    });
}

/** Returns a list that gets each label that is set from now on on an image of the machine. */
function watchLabels(machine: Machine): readonly string[] {
  const seen: string[] = [];
  for (const { inode, path } of machine.files.walk()) {
    if (!path.startsWith(`${IMAGES}/`)) continue;
    const { xattrs } = inode;
    const set = xattrs.set.bind(xattrs);
    xattrs.set = (name, value) => {
      if (name === LABEL && xattrs.get(name) !== value) seen.push(`${path} ${value}`);
      return set(name, value);
    };
  }
  return seen;
}

/** Returns what a plan says, after a check that it has changed nothing. */
async function planned<Plan>(machine: Machine, plan: () => Promise<Plan>): Promise<Plan> {
  const before = snapshot(machine);
  const result = await plan();
  expect(snapshot(machine)).toEqual(before);
  return result;
}

describe.each([
  ["that runs", machineThatRuns],
  ["that is off", machineThatIsOff],
])("the plan of a deletion, for a guest %s,", (_, prepare) => {
  test.each(["s1", "s2"])(
    "has the labels that the deletion of %s sets, and its other steps",
    async (name) => {
      const machine = await prepare();
      const node = nodeOn(machine);
      const plan = await planned(machine, () => planDeletion(node, "vm1", { name, which: "one" }));
      const seen = watchLabels(machine);
      await remove(name)(node);
      expect(seen.length).toBeGreaterThan(0);
      expect(labelsIn(plan.steps)).toEqual([...seen]);
      const [pause] = plan.pauses;
      expect(plan.steps[(pause?.before ?? 0) - 1]?.do).toBe("start-job");
      expect(plan.steps.slice(-2).map((step) => step.do)).toEqual(["replace-text", "remove-file"]);
    },
  );
});

test("the plan of a deletion is refused as the deletion is", async () => {
  const machine = await machineThatIsOff();
  const node = nodeOn(machine);
  for (const [name, which] of [
    ["s3", "one"],
    ["s1", "tree"],
  ] as const) {
    const error = await errorOf(planDeletion(node, "vm1", { name, which }));
    expect(error.message).toBe((await errorOf(remove(name, which)(node))).message);
  }
});

test("the plan of a running guest's snapshot goes on after QEMU's switch, and with --halt to the guest's end", async () => {
  const machine = await machineWithChain();
  const node = nodeOn(machine);
  const flags = { isDiskOnly: true, isKept: true, reuses: false, halts: true };
  const asked = newSnapshot(node, {
    name: "s1",
    description: undefined,
    disks: [],
    memory: undefined,
    flags,
  });
  const plan = await planned(machine, () => planSnapshot(node, "vm1", asked));
  const seen = watchLabels(machine);
  await createSnapshot(node, "vm1", { snapshot: asked });
  expect(seen.length).toBeGreaterThan(0);
  // The new image is not watched: it is made later.
  expect(labelsIn(plan.steps).filter((line) => !line.startsWith(`${IMAGES}/top.s1 `))).toEqual([...seen]);
  const names = plan.steps.map((step) => step.do);
  expect(names.filter((name) => name === "replace-text")).toHaveLength(2);
  expect(names.indexOf("kill")).toBeGreaterThan(names.indexOf("adopt-chain"));
});

test("the plan of a block job goes on after the job", async () => {
  const machine = await machineWithChain();
  const node = nodeOn(machine);
  const request = pullLive(node, { path: "vda", base: undefined, bytesPerSecond: undefined });
  const plan = await planned(machine, () =>
    planWork(node, "vm1", { request, endOf: () => ({ isDone: true, after: "then" }) }),
  );
  const seen = watchLabels(machine);
  await pullOn(node);
  await waitOn(node);
  expect(seen.length).toBeGreaterThan(0);
  expect(labelsIn(plan.steps)).toEqual([...seen]);
  expect(plan.pauses).toEqual([
    { before: plan.steps.findIndex(({ do: name }) => name === "adopt-chain"), text: "then" },
  ]);
});

test("the plan of a revert to memory has the end of the guest and the new images, and says what follows", async () => {
  const machine = await machineWithChain();
  const node = nodeOn(machine);
  const flags = { isDiskOnly: false, isKept: true, reuses: false };
  const asked = { name: "s1", description: undefined, disks: [], memory: MEMORY, flags };
  await createSnapshot(node, "vm1", { snapshot: newSnapshot(node, asked) });
  const how = { name: "s1", isForced: false, runs: false };
  const plan = await planned(machine, () => planDomainRevert(node, "vm1", how));
  const names = plan.steps.map((step) => step.do);
  expect(names[0]).toBe("kill");
  expect(names.slice(names.indexOf("make-image"))).toEqual(["make-image", "replace-text", "replace-text"]);
  expect(plan.pauses).toEqual([
    { before: names.length, text: `then the domain starts with these images, and its state in ${MEMORY}` },
  ]);
});

test("the plan of a revert with a start afterwards says that the start follows", async () => {
  const machine = await machineThatIsOff();
  const node = nodeOn(machine);
  const plan = await planned(machine, () =>
    planDomainRevert(node, "vm1", { name: "s1", isForced: false, runs: true }),
  );
  expect(plan.steps.map((step) => step.do)).toEqual(["make-image", "replace-text", "replace-text"]);
  expect(plan.pauses.map(({ before }) => before)).toEqual([3]);
});

test("a forced revert to memory removes the managed save after its own state is loaded", async () => {
  const machine = await machineWithChain();
  const node = nodeOn(machine);
  const flags = { isDiskOnly: false, isKept: true, reuses: false };
  const asked = { name: "s1", description: undefined, disks: [], memory: MEMORY, flags };
  await createSnapshot(node, UUID, { snapshot: newSnapshot(node, asked) });
  await managedSaveDomain(node, "vm1", { resumes: undefined });
  const began: string[] = [];
  await revertDomain(node, "vm1", {
    name: "s1",
    isForced: true,
    runs: false,
    onLeft: () => undefined,
    observer: (moment, step) => {
      if (moment === "before") began.push(step.do === "remove-file" ? `remove ${step.path}` : step.do);
    },
  });
  const [removed] = began.filter((step) => step.startsWith("remove ") && step.endsWith("/vm1.save"));
  expect(removed).toBeDefined();
  expect(began.indexOf(removed ?? "")).toBeGreaterThan(began.indexOf("load-memory"));
  expect(node.host.readText("/var/lib/svirt/save/vm1.save")).toBeUndefined();
});
