import { describe, expect, test } from "bun:test";
import type { Step } from "../../../src/plan/steps/step.ts";
import { registryOf } from "../../../src/state/instance.ts";
import { readRecord, writeRecord } from "../../../src/state/record.ts";
import { readReason } from "../../../src/state/shutoff-reason.ts";
import { auditNode } from "../../../src/vm/audit/audit-node.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { endGuest } from "../../../src/vm/end/end-guest.ts";
import { suspendGuest } from "../../../src/vm/lifecycle/ask-guest.ts";
import { rebootGuest, shutdownGuest } from "../../../src/vm/lifecycle/power-off.ts";
import { planReaping, recoverGuest } from "../../../src/vm/recover/recover.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import {
  ALL_KINDS,
  diskXml,
  domainXml,
  errorOf,
  labelOf,
  linkBlockDevice,
  makeMachine,
  nodeOn,
  OTHER,
  reapAll,
  sweepAll,
  UUID,
} from "../../scenes/scene.ts";
import { endUnseen } from "../../scenes/strikes.ts";

const RESTART_ON_CRASH = "<on_crash>restart</on_crash>";
const RESTART_ON_POWEROFF = "<on_poweroff>restart</on_poweroff>";

async function running(lifecycle = ""): Promise<Machine> {
  const machine = makeMachine();
  await startDomain(nodeOn(machine), domainXml({ disks: ALL_KINDS, lifecycle }));
  return machine;
}

/** Ends QEMU with that status. */
function endQemu(machine: Machine, status: number): void {
  machine.processes.end(machine.processes.qemuOf(UUID)?.pid ?? 0, status);
}

function killReaper(machine: Machine): void {
  const reaper = machine.processes.list().find(({ role }) => role === "reaper");
  if (reaper !== undefined) machine.processes.signal(reaper, "SIGKILL");
}

const reasonOn = (machine: Machine): string | undefined => readReason(nodeOn(machine), UUID);

describe("a guest that ends by itself", () => {
  test.each([
    ["powers itself off", 0, "shutdown"],
    ["crashes", 134, "crashed"],
    ["is killed from outside", 137, "crashed"],
  ])("because it %s is cleared away by its reaper, and the reason is kept", async (_, status, reason) => {
    const machine = await running();
    endQemu(machine, status);
    await reapAll(machine);
    expect(snapshot(machine)).toEqual(snapshot(makeMachine()));
    expect(reasonOn(machine)).toBe(reason);
  });

  test("has its end planned: the very steps that it then takes, and none while it runs or is off", async () => {
    const machine = await running();
    const plan = (): ReturnType<typeof planReaping> => planReaping(nodeOn(machine), UUID);
    expect(plan()).toEqual([]);
    const guest = readRecord(nodeOn(machine), UUID);
    if (guest === undefined) throw new Error("no record");
    // A save whose file is whole: it gets its name before the rest.
    const file = { do: "keep-file", from: "/srv/.svirt-1.part", to: "/srv/vm1.save" } as const;
    machine.files.put(file.from, "file", { bytes: new Uint8Array(8) });
    const change = { what: "save", xml: "", stage: "finishing", ends: "saved" } as const;
    writeRecord(nodeOn(machine), { ...guest, change: { ...change, steps: [], after: [file] } });
    endUnseen(machine);
    const planned = plan();
    expect([planned[0], planned.length > 10]).toEqual([file, true]);
    expect(plan()).toEqual(planned);
    const taken: Step[] = [];
    const ended = readRecord(nodeOn(machine), UUID) ?? guest;
    await endGuest(nodeOn(machine), ended, {
      reason: "saved",
      observer: (moment, step, at) => {
        if (moment === "before") expect(at).toBe(taken.push(step) - 1);
      },
    });
    expect(taken).toEqual([...planned]);
    expect([machine.files.find("/srv/vm1.save") !== undefined, plan()]).toEqual([true, []]);
  });

  test("is cleared away by the next svirt, whichever it is, when its reaper was killed first", async () => {
    const machine = await running();
    killReaper(machine);
    endQemu(machine, 0);
    await reapAll(machine);
    expect(labelOf(machine, "/var/lib/images/top.qcow2")).toContain("svirt_image_t");
    expect(await sweepAll(machine)).toEqual(["vm1"]);
    expect(snapshot(machine)).toEqual(snapshot(makeMachine()));
  });

  test("is left alone by a sweep as long as it runs, even without its reaper", async () => {
    const machine = await running();
    killReaper(machine);
    const before = snapshot(machine);
    expect(await sweepAll(machine)).toEqual([]);
    expect(snapshot(machine)).toEqual(before);
  });

  test.each([
    [RESTART_ON_POWEROFF, 0, true],
    [RESTART_ON_POWEROFF, 134, false],
    [RESTART_ON_CRASH, 134, true],
    [RESTART_ON_CRASH, 0, false],
    ["", 0, false],
  ])("with '%s' and status %i is started again: %p", async (lifecycle, status, again) => {
    const machine = await running(lifecycle);
    endQemu(machine, status);
    await reapAll(machine);
    expect(machine.processes.qemuOf(UUID) !== undefined).toBe(again);
    expect(machine.violations).toEqual([]);
  });

  test("is not taken for crashed when its clearing away was killed half way", async () => {
    const ended = async (): Promise<Machine> => {
      const machine = await running(RESTART_ON_CRASH);
      endQemu(machine, 0);
      machine.pass(100);
      machine.reaps.splice(0);
      return machine;
    };
    const counting = nodeOn(await ended());
    await recoverGuest(counting, UUID);
    // Late enough that the guest's folder with the exit status is gone, early enough that its record is not.
    const at = counting.svirt.changes.lastIndexOf("removeFolder") + 1;
    const machine = await ended();
    await errorOf(recoverGuest(nodeOn(machine, { at, moment: "after", how: "crash" }), UUID));
    expect(machine.files.find(`/run/svirt/${UUID}`)).toBeUndefined();
    expect(readRecord(nodeOn(machine), UUID)?.state).toBe("stopping");
    await sweepAll(machine);
    expect(machine.processes.qemuOf(UUID)).toBeUndefined();
    expect(reasonOn(machine)).toBe("shutdown");
  });
});

test("a guest that the kernel does not let go of keeps its level and its labels, and is cleared away when it is gone", async () => {
  const machine = await running();
  machine.qemu = { isImmortal: true };
  const label = labelOf(machine, "/var/lib/images/top.qcow2");
  const held = registryOf(nodeOn(machine)).listAll();
  expect((await errorOf(destroyDomain(nodeOn(machine), "vm1"))).kind).toBe("timeout");
  expect(labelOf(machine, "/var/lib/images/top.qcow2")).toBe(label ?? "none");
  expect(registryOf(nodeOn(machine)).listAll()).toEqual(held);
  machine.qemu = {};
  await sweepAll(machine);
  expect(snapshot(machine)).toEqual(snapshot(makeMachine()));
});

test("a guest's end does not hold the registry's lock while its folder is removed", async () => {
  const machine = await running();
  await destroyDomain(nodeOn(machine), "vm1");
  expect(snapshot(machine)).toEqual(snapshot(makeMachine()));
  expect(machine.violations).toEqual([]);
});

describe("a guest that is asked", () => {
  test("to shut down does, and stays off though a power-off would start it again", async () => {
    const machine = await running();
    await shutdownGuest(nodeOn(machine), "vm1");
    await reapAll(machine);
    expect([machine.processes.qemuOf(UUID), reasonOn(machine)]).toEqual([undefined, "shutdown"]);
  });

  test("to reboot comes up again with what its definition has become", async () => {
    const machine = await running();
    await defineDomain(nodeOn(machine), domainXml({ disks: diskXml("/var/lib/images/private1.raw", "vda") }));
    await rebootGuest(nodeOn(machine), "vm1");
    await reapAll(machine);
    expect(machine.processes.qemuOf(UUID)?.status).toBe("running");
    expect(labelOf(machine, "/var/lib/images/private1.raw")).toContain("svirt_image_t");
    expect(labelOf(machine, "/var/lib/images/top.qcow2")).toContain("qemu_image_t");
  });

  test("to reboot and is destroyed before it does stays off", async () => {
    const machine = await running();
    machine.qemu = { ignoresPowerButton: true };
    await rebootGuest(nodeOn(machine), "vm1");
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    await sweepAll(machine);
    expect([machine.processes.qemuOf(UUID), reasonOn(machine)]).toEqual([undefined, "destroyed"]);
  });

  test("to pause pauses, and keeps its labels", async () => {
    const machine = await running();
    // The record says that it was paused.
    const others = (): string[] => snapshot(machine).filter((line) => !line.includes("/records/"));
    const before = others();
    await suspendGuest(nodeOn(machine), "vm1");
    expect(machine.processes.qemuOf(UUID)?.status).toBe("paused");
    expect(others()).toEqual(before);
  });

  test("anything while it is off is refused", async () => {
    const machine = makeMachine();
    await defineDomain(nodeOn(machine), domainXml());
    expect((await errorOf(suspendGuest(nodeOn(machine), "vm1"))).kind).toBe("wrong-state");
  });
});

describe("a reboot of the node", () => {
  test.each(["", RESTART_ON_CRASH, RESTART_ON_POWEROFF])(
    "with '%s' leaves every guest off and every label as it was",
    async (lifecycle) => {
      const machine = await running(lifecycle);
      machine.reboot("8:17");
      linkBlockDevice(machine);
      await sweepAll(machine);
      const clean = makeMachine();
      clean.reboot("8:17");
      linkBlockDevice(clean);
      expect(snapshot(machine).map(withoutInode)).toEqual(snapshot(clean).map(withoutInode));
      expect(reasonOn(machine)).toBe("unknown");
    },
  );

  test("that a power failure brings on with the record from before the guest ran leaves nobody sure that it failed", async () => {
    const machine = await running();
    const node = nodeOn(machine);
    const guest = readRecord(node, UUID);
    if (guest === undefined) throw new Error("it does not run");
    const { process: _, ...before } = guest;
    writeRecord(node, { ...before, state: "starting" });
    machine.reboot("8:17");
    await sweepAll(machine);
    expect(reasonOn(machine)).toBe("unknown");
  });

  test("before anything is swept does not make a dead guest's label somebody's original", async () => {
    const machine = await running();
    machine.reboot();
    linkBlockDevice(machine);
    const other = { name: "vm2", uuid: OTHER };
    await startDomain(
      nodeOn(machine),
      domainXml({ ...other, disks: diskXml("/var/lib/images/install.iso", "vda", "<readonly/>") }),
    );
    await sweepAll(machine);
    expect(labelOf(machine, "/var/lib/images/install.iso")).toBe("system_u:object_r:virt_content_t:s0");
    await destroyDomain(nodeOn(machine), "vm2");
    expect(labelOf(machine, "/var/lib/images/install.iso")).toContain("qemu_image_t");
  });

  test("leaves a process alone that has the number of a dead guest's QEMU now", async () => {
    const machine = await running();
    const pid = readRecord(nodeOn(machine), UUID)?.process?.pid ?? 0;
    machine.reboot();
    linkBlockDevice(machine);
    machine.processes.add({ pid, command: "sshd", context: "system_u:system_r:sshd_t:s0" });
    await sweepAll(machine);
    expect(machine.processes.get(pid)?.command).toBe("sshd");
  });
});

describe("auditNode()", () => {
  test("finds nothing on a node whose guests are as they should be", async () => {
    const { findings, guests } = await auditNode(nodeOn(await running()));
    expect([guests.length, findings]).toEqual([1, []]);
  });

  test("finds a file that lost its label, a permissive kernel and a guest that is not cleared away", async () => {
    const machine = await running();
    machine.files
      .get("/var/lib/images/top.qcow2")
      .xattrs.set("security.selinux", "system_u:object_r:qemu_image_t:s0");
    expect((await auditNode(nodeOn(machine))).findings).toEqual([
      expect.stringContaining("/var/lib/images/top.qcow2 should be labelled"),
    ]);
    machine.selinux = { mode: "permissive", policyName: "svirt" };
    killReaper(machine);
    endQemu(machine, 0);
    expect((await auditNode(nodeOn(machine))).findings.join("\n")).toContain(
      "has ended and is not cleaned up",
    );
    expect((await auditNode(nodeOn(machine))).findings.join("\n")).toContain("SELinux is permissive");
  });
});

function withoutInode(line: string): string {
  return line.replace(/^\d+ |(?<=^process )\d+ /, "");
}
