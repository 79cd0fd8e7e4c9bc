import { describe, expect, test } from "bun:test";
import type { StepObserver } from "../../../src/run/steps/run-plan.ts";
import { readRecord } from "../../../src/state/record.ts";
import { readNotes } from "../../../src/state/reports/domain-notes.ts";
import { readReason } from "../../../src/state/shutoff-reason.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { attachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { resumeGuest, suspendGuest } from "../../../src/vm/lifecycle/ask-guest.ts";
import { shutdownGuest } from "../../../src/vm/lifecycle/power-off.ts";
import { getGuestState } from "../../../src/vm/query/guest-state.ts";
import { recoverAll } from "../../../src/vm/recover/recover.ts";
import { dumpDomain } from "../../../src/vm/save/dump-domain.ts";
import { restoreDomain } from "../../../src/vm/save/restore-domain.ts";
import { managedSaveDomain, saveDomain } from "../../../src/vm/save/save-domain.ts";
import { readSaveImage } from "../../../src/vm/save/save-image.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { snapshot } from "../../memory-host/machine.ts";
import { copyOn, endOn, IMAGES, machineWithChain } from "../../scenes/block.ts";
import { expectCleanEnd, expectUnlabelled } from "../../scenes/block-checks.ts";
import { deviceOf, SECOND } from "../../scenes/hotplug.ts";
import {
  changesOf,
  FILE,
  fileText,
  guestState,
  machineWithGuest,
  PRIVATE,
  REMEMBERED,
  restored,
  save,
  stateOf,
} from "../../scenes/saving.ts";
import {
  diskXml,
  domainXml,
  errorOf,
  labelOf,
  makeMachine,
  nodeOn,
  ORIGINAL,
  reapAll,
  UUID,
} from "../../scenes/scene.ts";
import { beStruck, type Work } from "../../scenes/strikes.ts";

const AS_IT_WAS = { resumes: undefined } as const;

describe("a guest that is saved", () => {
  test("ends, and leaves nothing but the file, which never carries its label", async () => {
    const machine = await machineWithGuest();
    const clean = snapshot(makeMachine());
    await saveDomain(nodeOn(machine), "vm1", { ...AS_IT_WAS, path: FILE });
    await reapAll(machine);
    expect(machine.violations).toEqual([]);
    expect(snapshot(machine).filter((line) => !line.includes(` ${FILE} `))).toEqual(clean);
    expect(labelOf(machine, FILE)).not.toMatch(PRIVATE);
    expect(machine.files.get(FILE).mode).toBe(0o600);
    expect(readReason(nodeOn(machine), UUID)).toBe("saved");
  });

  test("tells what watches of each step, those that take its start back too", async () => {
    const machine = await machineWithGuest();
    const done: string[] = [];
    const observer: StepObserver = (moment, step) => {
      if (moment === "after") done.push(step.do);
    };
    await saveDomain(nodeOn(machine), "vm1", { ...AS_IT_WAS, path: FILE, observer });
    expect(done.slice(0, done.indexOf("kill"))).toContain("save-memory");
    expect(done.slice(done.indexOf("kill"))).toContain("restore-label");
  });

  test("goes on where it was once it is restored, with its label and all of its files labelled as at a start", async () => {
    const machine = await machineWithGuest();
    const before = guestState(machine);
    await save(machine);
    await restored(machine);
    expect(guestState(machine)).toEqual(before);
    expect(machine.processes.qemuOf(UUID)?.stream?.memory).toBe(REMEMBERED);
    expect(machine.processes.qemuOf(UUID)?.status).toBe("running");
    const guest = readRecord(nodeOn(machine), UUID);
    if (guest === undefined) throw new Error("it has no record");
    expect(await getGuestState(nodeOn(machine), guest)).toEqual({ state: "running", reason: "restored" });
    // Only svirt reads the file.
    expect(labelOf(machine, FILE)).not.toMatch(PRIVATE);
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    expect(snapshot(machine).filter((line) => !line.includes(` ${FILE} `))).toEqual(snapshot(makeMachine()));
  });

  test("has every device that came while it ran, and its board's version", async () => {
    const machine = await machineWithGuest();
    await attachDevice(nodeOn(machine), { key: "vm1", options: {}, isDryRun: false }, deviceOf(SECOND));
    await save(machine);
    const { xml } = readSaveImage(nodeOn(machine), FILE);
    expect(xml).toContain("machine='pc-i440fx-10.0'");
    expect(xml).toContain("<target dev='vdb'");
  });

  test.each([
    [true, undefined, "running"],
    [false, undefined, "paused"],
    [true, false, "paused"],
    [false, true, "running"],
  ] as const)(
    "while it runs: %p, with --running/--paused: %p, is %s afterwards",
    async (runs, resumes, status) => {
      const machine = await machineWithGuest();
      if (!runs) await suspendGuest(nodeOn(machine), "vm1");
      await saveDomain(nodeOn(machine), "vm1", { resumes, path: FILE });
      await restored(machine);
      expect(machine.processes.qemuOf(UUID)?.status).toBe(status);
      await resumeGuest(nodeOn(machine), "vm1");
      expect(machine.processes.qemuOf(UUID)?.status).toBe("running");
    },
  );

  test("replaces a file whole, with that file's label, and one with the label of a guest that is gone without", async () => {
    for (const [label, expected] of [
      ["system_u:object_r:virt_save_t:s0", "system_u:object_r:virt_save_t:s0"],
      ["system_u:object_r:svirt_image_t:s0:c7,c8", undefined],
    ] as const) {
      const machine = await machineWithGuest();
      machine.files.put(FILE, "file").xattrs.set("security.selinux", label);
      await save(machine);
      if (expected === undefined) expect(labelOf(machine, FILE)).not.toBe(label);
      else expect(labelOf(machine, FILE)).toBe(expected);
    }
  });
});

test("a save that was killed once all was written is told of as ended, not as running", async () => {
  const work: Work = (node) => saveDomain(node, "vm1", { ...AS_IT_WAS, path: FILE });
  const renamed = (await changesOf(work)).indexOf("renameFile") + 1;
  const killed = await machineWithGuest();
  await beStruck(killed, work, { at: renamed, moment: "before", how: "crash" });
  const { running, recovered } = await recoverAll(nodeOn(killed));
  expect([running, recovered]).toEqual([[], ["vm1"]]);
});

test("a save that was killed while clients are told of it is finished, and never undone", async () => {
  const work: Work = (node) => saveDomain(node, "vm1", { ...AS_IT_WAS, path: FILE });
  // The last file without fsync is the report to clients.
  const told = (await changesOf(work)).lastIndexOf("writeVolatile") + 1;
  for (const moment of ["before", "after"] as const) {
    const killed = await machineWithGuest();
    await beStruck(killed, work, { at: told, moment, how: "crash" });
    const isTold = (readNotes(nodeOn(killed), UUID)?.notes ?? []).length > 0;
    expect(isTold).toBe(moment === "after");
    const { running, recovered } = await recoverAll(nodeOn(killed));
    expect([running, recovered]).toEqual([[], ["vm1"]]);
    await restored(killed);
    expect(killed.processes.qemuOf(UUID)?.stream?.memory).toBe(REMEMBERED);
  }
});

test("a save that was killed keeps nobody waiting for a QEMU that somebody has taken over, and the guest can be ended", async () => {
  const work: Work = (node) => saveDomain(node, "vm1", { ...AS_IT_WAS, path: FILE });
  const begun = (await changesOf(work)).indexOf("monitor migrate") + 1;
  const machine = await machineWithGuest();
  await beStruck(machine, work, { at: begun, moment: "after", how: "crash" });
  machine.qemu = { answers: new Map([["query-migrate", { status: "cancelling" }]]) };
  const { errors, running } = await recoverAll(nodeOn(machine));
  expect([errors.map(({ kind }) => kind), running.length]).toEqual([["timeout"], 1]);
  await destroyDomain(nodeOn(machine), "vm1");
  await reapAll(machine);
  expectUnlabelled(machine);
});

// qemuMigrationSrcIsAllowed() of libvirt: QEMU would no longer have the job when the guest continues.
describe("a guest whose image QEMU copies just then", () => {
  const dump = { format: undefined, live: false, afterwards: "go-on" } as const;
  test.each<[string, Work]>([
    ["saved", (node) => saveDomain(node, "vm1", { ...AS_IT_WAS, path: FILE })],
    ["saved for the next start", (node) => managedSaveDomain(node, "vm1", AS_IT_WAS)],
    ["dumped as QEMU writes its state", (node) => dumpDomain(node, "vm1", { path: FILE, options: dump })],
  ])("is not %s, in libvirt's words", async (_, work) => {
    const machine = await machineWithChain();
    await copyOn(nodeOn(machine));
    const before = stateOf(machine);
    expect(await errorOf(work(nodeOn(machine)))).toMatchObject({
      kind: "wrong-state",
      message: "Requested operation is not valid: domain has active block job",
    });
    expect(stateOf(machine)).toEqual(before);
  });

  test("is shut down and destroyed all the same, and saved once the copy is given up", async () => {
    const machine = await machineWithChain();
    await copyOn(nodeOn(machine));
    await shutdownGuest(nodeOn(machine), "vm1");
    await reapAll(machine);
    expectUnlabelled(machine);
    await startDomain(nodeOn(machine), domainXml({ disks: diskXml(`${IMAGES}/top.qcow2`, "vda") }));
    await copyOn(nodeOn(machine), { dest: `${IMAGES}/other.qcow2` });
    await endOn(nodeOn(machine), "abort");
    await save(machine);
    expect(readReason(nodeOn(machine), UUID)).toBe("saved");
    await restored(machine);
    await copyOn(nodeOn(machine), { dest: `${IMAGES}/third.qcow2` });
    await expectCleanEnd(machine);
  });
});

describe("a save that fails", () => {
  test.each([
    [
      "QEMU cannot write its state",
      { failsToSave: true },
      "operation failed: domain save job: State blocked",
    ],
    ["QEMU does not take the pipe", { refuses: "getfd" }, "as the test wants it"],
    ["QEMU does not begin", { refuses: "migrate" }, "as the test wants it"],
    ["QEMU does not stop", { refuses: "stop" }, "as the test wants it"],
  ])("because %s leaves the guest as it was, and the old file", async (_, qemu, words) => {
    const machine = await machineWithGuest();
    machine.files.put(FILE, "file", { bytes: new TextEncoder().encode("an older one") });
    const before = stateOf(machine);
    machine.qemu = qemu;
    const error = await errorOf(saveDomain(nodeOn(machine), "vm1", { ...AS_IT_WAS, path: FILE }));
    expect(error.message).toContain(words);
    expect(stateOf(machine)).toEqual(before);
    expect(fileText(machine, FILE)).toBe("an older one");
    machine.qemu = {};
    await save(machine);
  });

  test("because the disk is full says so, and not that a pipe is broken", async () => {
    const machine = await machineWithGuest();
    const before = stateOf(machine);
    machine.isDiskFull = true;
    const error = await errorOf(saveDomain(nodeOn(machine), "vm1", { ...AS_IT_WAS, path: FILE }));
    expect(error.message).toContain("ENOSPC");
    expect(stateOf(machine)).toEqual(before);
  });

  test.each([
    ["/var/lib/images/private1.raw", "in-use", "the guest vm1 uses that file"],
    ["/etc/passwd.save", "denied", "Cannot write /etc/passwd.save: its folder belongs to the host"],
    ["/var/lib/svirt/records/x", "denied", "its folder belongs to the host"],
    ["/nowhere/x", "not-found", "No such file or directory"],
    ["/dev/vdb", "unsupported", "it is a block"],
    ["/var/lib/images/", "unsupported", "it is a folder"],
  ] as const)("to %s is refused before the guest is touched", async (path, kind, words) => {
    const machine = await machineWithGuest();
    const before = stateOf(machine);
    const node = nodeOn(machine);
    const error = await errorOf(saveDomain(node, "vm1", { ...AS_IT_WAS, path }));
    expect([error.kind, error.message]).toEqual([kind, expect.stringContaining(words)]);
    expect(stateOf(machine)).toEqual(before);
    expect(node.svirt.changes).not.toContain("monitor stop");
  });
});

describe("a restore that cannot be", () => {
  test("because the guest runs is refused in libvirt's words", async () => {
    const machine = await machineWithGuest();
    await save(machine);
    await restored(machine);
    const error = await errorOf(restored(machine));
    expect([error.kind, error.message]).toEqual([
      "wrong-state",
      "Requested operation is not valid: domain 'vm1' is already active",
    ]);
  });

  test("because QEMU does not take the state leaves nothing, and the file as it was", async () => {
    const machine = await machineWithGuest();
    await save(machine);
    const text = fileText(machine, FILE);
    const at = text.indexOf("QEVM");
    machine.files.get(FILE).bytes = new TextEncoder().encode(`${text.slice(0, at)}XXXX`);
    const before = snapshot(machine);
    const error = await errorOf(restored(machine));
    machine.pass(1000);
    machine.reaps.splice(0);
    expect(error.message).toContain("domain restore job: Not a migration stream");
    expect(snapshot(machine)).toEqual(before);
  });

  test("with the XML of another domain is refused, and with other paths it is the same guest", async () => {
    const machine = await machineWithGuest();
    await save(machine);
    const { xml } = readSaveImage(nodeOn(machine), FILE);
    const given = (text: string) => ({ ...AS_IT_WAS, xml: new TextEncoder().encode(text) });
    const other = given(xml.replace("<name>vm1", "<name>vm2"));
    expect((await errorOf(restoreDomain(nodeOn(machine), FILE, other))).message).toBe(
      "unsupported configuration: Target domain name vm2 does not match source vm1",
    );
    await restoreDomain(nodeOn(machine), FILE, given(xml.replace("private1.raw", "private2.raw")));
    expect(labelOf(machine, "/var/lib/images/private2.raw")).toMatch(PRIVATE);
    expect(labelOf(machine, "/var/lib/images/private1.raw")).toBe(ORIGINAL);
  });
});

test("a guest with a second start in between is the one that is saved", async () => {
  const machine = await machineWithGuest();
  const error = await errorOf(saveDomain(nodeOn(machine), "vm2", { ...AS_IT_WAS, path: FILE }));
  expect(error.kind).toBe("not-found");
  await destroyDomain(nodeOn(machine), "vm1");
  await reapAll(machine);
  await defineDomain(nodeOn(machine), domainXml());
  expect((await errorOf(saveDomain(nodeOn(machine), "vm1", { ...AS_IT_WAS, path: FILE }))).kind).toBe(
    "wrong-state",
  );
  await startDomain(nodeOn(machine), domainXml());
});
