// In turn: it takes seconds of a processor.
import { describe, expect, test } from "bun:test";
import { formatSteps } from "../../../src/plan/steps/describe.ts";
import type { Step } from "../../../src/plan/steps/step.ts";
import type { StepObserver } from "../../../src/run/steps/run-plan.ts";
import { planWork } from "../../../src/vm/block/plan-conclusions.ts";
import { pullLive } from "../../../src/vm/block/pull.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
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

/** Returns labels on images that exist before a revert, without their levels: a start chooses one. */
function withoutLevels(labels: readonly string[]): readonly string[] {
  return labels
    .filter((line) => !/^\S+\.\d{10} /.test(line))
    .map((line) => line.replace(/:s0:c\d+,c\d+$/, ":s0:LEVEL"));
}

/** Returns a list that gets the name of each step that begins, and the observer that fills it. */
function watchSteps(): { readonly began: readonly Step["do"][]; readonly observer: StepObserver } {
  const began: Step["do"][] = [];
  return {
    began,
    observer(moment, step) {
      if (moment === "before") began.push(step.do);
    },
  };
}

test.each([
  ["with its end first, of a guest that runs", true],
  ["of a domain that is off", false],
])("the plan of a revert to memory has all steps, %s", async (_, isRunning) => {
  const machine = await machineWithChain();
  const node = nodeOn(machine);
  const flags = { isDiskOnly: false, isKept: true, reuses: false };
  const asked = { name: "s1", description: undefined, disks: [], memory: MEMORY, flags };
  await createSnapshot(node, "vm1", { snapshot: newSnapshot(node, asked) });
  if (!isRunning) await destroyDomain(node, "vm1", {});
  const how = { name: "s1", isForced: false, runs: false };
  const plan = await planned(machine, () => planDomainRevert(node, "vm1", how));
  const seen = watchLabels(machine);
  const { began, observer } = watchSteps();
  await revertDomain(node, "vm1", { ...how, observer, onLeft: () => undefined });
  expect(seen.length).toBeGreaterThan(0);
  expect(withoutLevels(labelsIn(plan.steps))).toEqual(withoutLevels(seen));
  const names = plan.steps.map((step) => step.do);
  const [pause] = plan.pauses;
  expect(names.slice(pause?.before)).toEqual(began.slice(-(names.length - (pause?.before ?? 0))));
  expect(names[0]).toBe(isRunning ? "kill" : "make-image");
  expect(names).toContain("load-memory");
});

test("the plan of a revert with a start afterwards has the steps of the start with the new images", async () => {
  const machine = await machineThatIsOff();
  const node = nodeOn(machine);
  const how = { name: "s1", isForced: false, runs: true };
  const plan = await planned(machine, () => planDomainRevert(node, "vm1", how));
  const seen = watchLabels(machine);
  const { began, observer } = watchSteps();
  await revertDomain(node, "vm1", { ...how, observer, onLeft: () => undefined });
  expect(seen.length).toBeGreaterThan(0);
  expect(withoutLevels(labelsIn(plan.steps))).toEqual(withoutLevels(seen));
  const names = plan.steps.map((step) => step.do);
  expect(names.slice(0, 3)).toEqual(["make-image", "replace-text", "replace-text"]);
  expect(plan.pauses.map(({ before }) => before)).toEqual([3]);
  expect(names.slice(3)).toEqual(began.slice(-(names.length - 3)));
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
