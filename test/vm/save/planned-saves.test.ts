import { describe, expect, test } from "bun:test";
import type { DumpOptions } from "../../../src/plan/actions/stream.ts";
import { describe as describeStep } from "../../../src/plan/steps/describe.ts";
import type { Step } from "../../../src/plan/steps/step.ts";
import type { StepObserver } from "../../../src/run/steps/run-plan.ts";
import type { Instance } from "../../../src/state/instance.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { carryOut, planOnly } from "../../../src/vm/object-change/carry-out.ts";
import { planDomain } from "../../../src/vm/plan/plan-domain.ts";
import { recoverAll } from "../../../src/vm/recover/recover.ts";
import { dumpDomain, planDumpOf } from "../../../src/vm/save/dump-domain.ts";
import { planRestore, restoreDomain, startNamed } from "../../../src/vm/save/restore-domain.ts";
import {
  managedSaveDomain,
  managedSaveRemoval,
  planManagedSave,
  planSaveOf,
  saveDomain,
} from "../../../src/vm/save/save-domain.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import {
  changesOf,
  FILE,
  MANAGED,
  machineWithGuest,
  REMEMBERED,
  restored,
  save,
} from "../../scenes/saving.ts";
import { ALL_KINDS, domainXml, errorOf, nodeOn, reapAll, UUID } from "../../scenes/scene.ts";
import { beStruck, type Work } from "../../scenes/strikes.ts";

const PART = `/var/lib/images/.svirt-${UUID}.part`;
const AS_IT_IS = { resumes: undefined, xml: undefined } as const;
const KEPT = "system_u:object_r:var_t:s0";

interface Case {
  readonly name: string;
  readonly prepare: () => Promise<Machine>;
  plan(node: Instance): Promise<{ readonly steps: readonly Step[] } | undefined>;
  run(node: Instance, observer: StepObserver): Promise<unknown>;
}

async function defined(): Promise<Machine> {
  const machine = await machineWithGuest();
  await defineDomain(nodeOn(machine), domainXml({ disks: ALL_KINDS }));
  return machine;
}

/** Returns a machine with the guest, and with a labelled file at the path of the save. */
async function withOlder(): Promise<Machine> {
  const machine = await machineWithGuest();
  machine.files.put(FILE, "file").xattrs.set("security.selinux", KEPT);
  return machine;
}

async function saved(): Promise<Machine> {
  const machine = await machineWithGuest();
  await save(machine);
  return machine;
}

async function managed(): Promise<Machine> {
  const machine = await defined();
  await managedSaveDomain(nodeOn(machine), "vm1", AS_IT_IS);
  await reapAll(machine);
  return machine;
}

const saving = (name: string, prepare: Case["prepare"]): Case => ({
  name,
  prepare,
  plan: (node) => planSaveOf(node, "vm1", { ...AS_IT_IS, path: FILE }),
  run: (node, observer) => saveDomain(node, "vm1", { ...AS_IT_IS, path: FILE, observer }),
});

const dumping = (name: string, options: DumpOptions): Case => ({
  name,
  prepare: withOlder,
  plan: (node) => planDumpOf(node, "vm1", { path: FILE, options }),
  run: (node, observer) => dumpDomain(node, "vm1", { path: FILE, options, observer }),
});

const restoring = (name: string, resumes: boolean | undefined): Case => ({
  name,
  prepare: saved,
  plan: (node) => planRestore(node, FILE, { ...AS_IT_IS, resumes }),
  run: (node, observer) => restoreDomain(node, FILE, { ...AS_IT_IS, resumes, observer }),
});

const CASES: readonly Case[] = [
  saving("a save to a new file", machineWithGuest),
  saving("a save over a file", withOlder),
  {
    name: "a managed save",
    prepare: defined,
    plan: (node) => planManagedSave(node, "vm1", AS_IT_IS),
    run: (node, observer) => managedSaveDomain(node, "vm1", { ...AS_IT_IS, observer }),
  },
  {
    name: "the removal of a managed save",
    prepare: managed,
    plan: (node) => planOnly(node, managedSaveRemoval("vm1")),
    run: (node, observer) => carryOut(node, managedSaveRemoval("vm1"), observer),
  },
  restoring("a restore", undefined),
  restoring("a restore that stays paused", false),
  {
    name: "a start that discards a managed save",
    prepare: managed,
    plan: (node) => planDomain(node, { key: "vm1" }, { forceBoot: true }),
    run: (node, observer) => startNamed(node, "vm1", { forceBoot: true, observer }),
  },
  dumping("a dump of memory", { format: "elf", live: false, afterwards: "go-on" }),
  dumping("a live dump of all", { format: undefined, live: true, afterwards: "go-on" }),
  dumping("a dump before a reset", { format: undefined, live: false, afterwards: "reset" }),
  dumping("a dump that ends the guest", { format: "elf", live: false, afterwards: "end" }),
];

test.each(CASES)(
  "the plan of $name changes nothing, and is what is then done",
  async ({ plan, prepare, run }) => {
    const machine = await prepare();
    const before = snapshot(machine);
    const planned = (await plan(nodeOn(machine)))?.steps ?? [];
    expect(snapshot(machine)).toEqual(before);
    const done: [number, Step][] = [];
    await run(nodeOn(machine), (moment, step, at) => {
      if (moment === "after") done.push([at, step]);
    });
    expect(planned.length).toBeGreaterThan(0);
    expect(done).toEqual(planned.map((step, at) => [at, step]));
  },
);

test("a save that an older svirt has recorded without labels is finished", async () => {
  const work: Work = (node) => saveDomain(node, "vm1", { ...AS_IT_IS, path: FILE });
  const renamed = (await changesOf(work)).indexOf("renameFile") + 1;
  const machine = await machineWithGuest();
  await beStruck(machine, work, { at: renamed, moment: "before", how: "crash" });
  const record = machine.files.get(`/var/lib/svirt/records/${UUID}.json`);
  const text = new TextDecoder().decode(record.bytes);
  const older = text.replaceAll(/,"labels":\{[^}]*\}/g, "");
  expect([older.includes("keep-file"), older.length < text.length]).toEqual([true, true]);
  record.bytes = new TextEncoder().encode(older);
  expect((await recoverAll(nodeOn(machine))).recovered).toEqual(["vm1"]);
  await restored(machine);
  expect(machine.processes.qemuOf(UUID)?.stream?.memory).toBe(REMEMBERED);
});

test("the plan of the guest's end begins with the file of an interrupted save", async () => {
  const work: Work = (node) => saveDomain(node, "vm1", { ...AS_IT_IS, path: FILE });
  // The last file without fsync is the report to clients, once all is written.
  const told = (await changesOf(work)).lastIndexOf("writeVolatile") + 1;
  const machine = await machineWithGuest();
  await beStruck(machine, work, { at: told, moment: "before", how: "crash" });
  const { steps } = await planDomain(nodeOn(machine), { key: "vm1" }, "end");
  const renaming = { do: "keep-file", from: PART, to: FILE, labels: {} } as const;
  expect(steps.slice(0, 2)).toEqual([renaming, expect.objectContaining({ do: "kill" })]);
});

describe("a plan", () => {
  const linesOf = (planned: { readonly steps: readonly Step[] } | undefined): readonly string[] =>
    (planned?.steps ?? []).map(describeStep);

  test("of a save has the labels of the file before and after, and the end of the guest", async () => {
    const lines = linesOf(await planSaveOf(nodeOn(await withOlder()), "vm1", { ...AS_IT_IS, path: FILE }));
    expect(lines.slice(0, 4)).toEqual([
      `reserve ${PART} for a new file`,
      "stop the vCPUs",
      expect.stringContaining(`write the guest's state to ${PART} (${KEPT}), through a pipe labelled `),
      `rename ${PART} to ${FILE}: ${KEPT} -> ${KEPT}`,
    ]);
    expect(lines[4]).toStartWith("end the guest's process");
    expect(lines.some((line) => line.startsWith("label /var/lib/images/private1.raw: "))).toBe(true);
  });

  test("of a dump to a new file says that its folder decides the label", async () => {
    const options: DumpOptions = { format: "elf", live: false, afterwards: "go-on" };
    const lines = linesOf(await planDumpOf(nodeOn(await machineWithGuest()), "vm1", { path: FILE, options }));
    expect(lines).toEqual([
      `reserve ${PART} for a new file`,
      "stop the vCPUs",
      expect.stringContaining(
        `write the guest's memory in the format elf to ${PART} (default label), through a pipe labelled `,
      ),
      "resume the vCPUs",
      `rename ${PART} to ${FILE}: (no label) -> default label`,
    ]);
  });

  test("of the removal of a managed save is one call, which needs no record", async () => {
    const machine = await managed();
    expect(linesOf(await planOnly(nodeOn(machine), managedSaveRemoval("vm1")))).toEqual([
      `remove ${MANAGED}`,
    ]);
    const node = nodeOn(machine);
    await carryOut(node, managedSaveRemoval("vm1"));
    expect(node.svirt.changes.filter((name) => name !== "lock")).toEqual(["removeFile"]);
    expect(await planOnly(nodeOn(machine), managedSaveRemoval("vm1"))).toBeUndefined();
  });

  test("is refused as the change is", async () => {
    const machine = await machineWithGuest();
    const node = nodeOn(machine);
    const refused = async (plan: Promise<unknown>, run: Promise<unknown>): Promise<void> => {
      const [planned, done] = [await errorOf(plan), await errorOf(run)];
      expect([planned.kind, planned.message]).toEqual([done.kind, done.message]);
    };
    await refused(planManagedSave(node, "vm1", AS_IT_IS), managedSaveDomain(node, "vm1", AS_IT_IS));
    const path = "/etc/passwd";
    await refused(
      planSaveOf(node, "vm1", { ...AS_IT_IS, path }),
      saveDomain(node, "vm1", { ...AS_IT_IS, path }),
    );
    const other = await saved();
    const bytes = other.files.get(FILE).bytes;
    machine.files.put(FILE, "file", { bytes });
    await refused(planRestore(node, FILE, AS_IT_IS), restoreDomain(node, FILE, AS_IT_IS));
  });
});
