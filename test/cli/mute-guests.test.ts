// In turn: it takes seconds of a processor.
import { describe, expect, test } from "bun:test";
import { guestPaths, SYSTEM_PATHS } from "../../src/plan/paths.ts";
import { CHANGE_TIMEOUT_MS } from "../../src/run/monitor/qmp-time-limits.ts";
import { withRegistryLock } from "../../src/state/locks.ts";
import { type GuestRecord, readRecord, writeRecord } from "../../src/state/record.ts";
import { destroyDomain } from "../../src/vm/end/destroy.ts";
import { detachDevice } from "../../src/vm/hotplug/change-devices.ts";
import { getGuestState } from "../../src/vm/query/guest-state.ts";
import type { Machine } from "../memory-host/machine.ts";
import { deviceOf } from "../scenes/hotplug.ts";
import { diskXml, domainXml, labelOf, makeMachine, nodeOn, ORIGINAL } from "../scenes/scene.ts";
import { runOn, type Said } from "./in-memory.ts";

const IMAGES = "/var/lib/images";
/** Longest wait of `svirt list` for QEMUs that do not answer. */
const LIST_MS = 1000;
/** Longest wait for QEMUs to finish their changes. */
const CHANGES_MS = 2000;

type Mute = "before greeting" | "after greeting";

const uuidOf = (at: number): string => `11111111-2222-4333-8444-00000000000${at}`;

/**
 * Returns a machine with guests vm1, vm2 and so on, each with a disk. The guests of these numbers are mute.
 */
async function machineWith(
  guests: number,
  mute: readonly (readonly [at: number, how: Mute])[],
): Promise<Machine> {
  const machine = makeMachine();
  for (let at = 1; at <= guests; at += 1) {
    const disks = diskXml(`${IMAGES}/private${at}.raw`, "vda");
    const bytes = domainXml({ name: `vm${at}`, uuid: uuidOf(at), disks });
    machine.files.put(`/vm${at}.xml`, "file", { bytes });
    await runOn(machine, "define", `/vm${at}.xml`);
    await runOn(machine, "start", `vm${at}`);
  }
  machine.qemu = { mute: new Map(mute.map(([at, how]) => [uuidOf(at), how])) };
  return machine;
}

/**
 * Makes /proc show a vCPU thread of the guest, in a state of proc_pid_stat(5) and a function of the kernel.
 */
function showVcpu(machine: Machine, at: number, [state, waitsIn]: readonly [string, string]): void {
  const pid = readRecord(nodeOn(machine), uuidOf(at))?.process?.pid ?? 0;
  const [thread] = nodeOn(machine).host.listFolder(`/proc/${pid}/task`);
  const files = { stat: `${thread} (CPU 0/KVM) ${state} 1 2 3`, wchan: waitsIn };
  for (const [name, text] of Object.entries(files))
    machine.files.put(`/proc/${pid}/task/${thread}/${name}`, "file", {
      bytes: new TextEncoder().encode(text),
    });
}

/** Runs a command and returns its output with its time by the machine's clock. */
async function timed(
  machine: Machine,
  ...words: readonly string[]
): Promise<Said & { readonly tookMs: number }> {
  const before = machine.nowMs;
  const said = await runOn(machine, ...words);
  return { ...said, tookMs: machine.nowMs - before };
}

describe("svirt list", () => {
  test("shows which guest does not answer, and the others as they are", async () => {
    const machine = await machineWith(3, [
      [1, "before greeting"],
      [3, "after greeting"],
    ]);
    await runOn(machine, "suspend", "vm2");
    const { code, err, out } = await runOn(machine, "list");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out.split("\n").slice(2, 5)).toEqual([
      " 1    vm1    running (no answer)",
      " 2    vm2    paused",
      " 3    vm3    running (no answer)",
    ]);
    const rows = JSON.parse((await runOn(machine, "list", "--json")).out);
    const shown = rows.map(({ monitor, state }: Record<string, string>) => `${state}: ${monitor}`);
    expect(shown).toEqual(["running: no answer", "paused: answers", "running: no answer"]);
  });

  test("tells a guest that another svirt works on from one that does not answer", async () => {
    const machine = await machineWith(1, [[1, "before greeting"]]);
    const release = await nodeOn(machine).host.lock(guestPaths(SYSTEM_PATHS, uuidOf(1)).lock, 0);
    expect((await runOn(machine, "list")).out).toContain("running (busy)");
    release();
  });

  test("does not ask a QEMU whose guest runs, as the kernel shows, and asks the others", async () => {
    const machine = await machineWith(3, [[1, "after greeting"]]);
    showVcpu(machine, 1, ["S", "kvm_vcpu_block"]);
    await runOn(machine, "suspend", "vm3");
    showVcpu(machine, 3, ["S", "futex_do_wait"]);
    const { out, tookMs } = await timed(machine, "list", "--json");
    const rows = JSON.parse(out).map(({ monitor, state }: Record<string, string>) => `${state}: ${monitor}`);
    expect(rows).toEqual(["running: not asked", "running: answers", "paused: answers"]);
    expect(tookMs).toBeLessThan(0.1 * LIST_MS);
    const plain = await runOn(machine, "list");
    expect(plain.out.split("\n")[2]).toBe(" 1    vm1    running");
    // A question about one guest is always put to its QEMU.
    expect((await runOn(machine, "domstate", "vm1", "--reason")).out).toBe("running (no answer)\n\n");
  });

  test("does not wait for a QEMU that a signal has stopped", async () => {
    const machine = await machineWith(1, [[1, "before greeting"]]);
    showVcpu(machine, 1, ["T", "do_signal_stop"]);
    const { out, tookMs } = await timed(machine, "list");
    expect(out).toContain("running (no answer)");
    expect(tookMs).toBeLessThan(0.1 * LIST_MS);
  });

  test("takes as long with three that do not answer as with one", async () => {
    const one = await timed(await machineWith(4, [[1, "after greeting"]]), "list");
    const three = await machineWith(4, [
      [1, "after greeting"],
      [2, "before greeting"],
      [3, "after greeting"],
    ]);
    const all = await timed(three, "list", "--all");
    expect(one.tookMs).toBeGreaterThanOrEqual(LIST_MS);
    expect(all.tookMs).toBeLessThan(1.5 * one.tookMs);
  });
});

test("svirt domstats asks all guests at once, and tells which do not answer", async () => {
  const mute = [
    [1, "after greeting"],
    [2, "before greeting"],
    [3, "before greeting"],
  ] as const;
  const one = await timed(await machineWith(4, mute.slice(0, 1)), "domstats", "--state");
  const three = await timed(await machineWith(4, mute), "domstats", "--state");
  expect(three.tookMs).toBeLessThan(1.5 * one.tookMs);
  expect(three.err.match(/^warning: domain 'vm[123]': /gm)).toHaveLength(3);
  expect(three.out).toContain("Domain: 'vm4'\n  state.state=1\n");
  const named = await runOn(await machineWith(3, mute), "domstats", "vm2", "vm3", "--json");
  expect(JSON.parse(named.out).map(({ error }: { readonly error: unknown }) => typeof error)).toEqual([
    "string",
    "string",
  ]);
});

describe("an unfinished detach of a guest that does not answer", () => {
  async function unfinished(): Promise<Machine> {
    const machine = await machineWith(3, []);
    await runOn(machine, "attach-disk", "vm1", `${IMAGES}/private4.raw`, "vdb");
    await runOn(machine, "destroy", "vm2");
    machine.qemu = { keepsDevices: true };
    const { code } = await runOn(machine, "detach-disk", "vm1", "vdb");
    expect(code).toBe(6);
    machine.qemu = { mute: new Map([[uuidOf(1), "after greeting"]]) };
    return machine;
  }
  /** Records the detach as svirt leaves it if it is killed while it waits for the guest. */
  async function killedInDetach(machine: Machine): Promise<void> {
    const node = nodeOn(machine);
    const guest = readRecord(node, uuidOf(1));
    if (guest === undefined) throw new Error("the guest has no record");
    const disk = deviceOf(diskXml(`${IMAGES}/private4.raw`, "vdb"));
    const { steps } = await detachDevice(node, { key: "vm1", options: {}, isDryRun: true }, disk);
    const change = {
      what: "detach vdb",
      stage: "finishing" as const,
      steps: [],
      after: [...steps],
      xml: guest.xml,
    };
    writeRecord(node, { ...guest, change });
  }
  const isAsked = (machine: Machine): boolean => readRecord(nodeOn(machine), uuidOf(1))?.asked !== undefined;

  test.each([
    ["start", "vm2"],
    ["domstate", "vm3"],
    ["suspend", "vm3"],
    ["define", "/vm2.xml"],
    ["version", undefined],
    ["destroy", "vm1"],
    ["destroy", "vm3"],
  ])("does not slow svirt %s %s", async (command, operand) => {
    const machine = await unfinished();
    const words = operand === undefined ? [] : [operand];
    const { code, err, tookMs } = await timed(machine, command, ...words);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(tookMs).toBeLessThan(LIST_MS);
    expect(isAsked(machine)).toBe(operand !== "vm1");
  });

  test("is finished by a command about that guest, and by svirt recover", async () => {
    for (const words of [["domstate", "vm1"], ["domid", uuidOf(1)], ["recover"]]) {
      const machine = await unfinished();
      machine.qemu = {};
      await runOn(machine, "domstate", "vm3");
      await runOn(machine, "list");
      machine.processes.qemuOf(uuidOf(1))?.devices?.letGo("virtio-disk1");
      expect({ words, isAsked: isAsked(machine) }).toEqual({ words, isAsked: true });
      await runOn(machine, ...words);
      expect({ words, isAsked: isAsked(machine) }).toEqual({ words, isAsked: false });
      expect(labelOf(machine, `${IMAGES}/private4.raw`)).toBe(ORIGINAL);
    }
  });

  test("keeps what it holds from a guest that is started, which is told what to do and waits for nothing", async () => {
    const machine = await unfinished();
    await runOn(machine, "attach-disk", "vm2", `${IMAGES}/private4.raw`, "vdb", "--config");
    const refused = await timed(machine, "start", "vm2");
    expect(refused.code).toBe(5);
    expect(refused.err).toContain(`the guest ${uuidOf(1)} uses that file`);
    expect(refused.err).toContain("svirt recover");
    expect(refused.tookMs).toBeLessThan(LIST_MS);
    machine.qemu = {};
    machine.processes.qemuOf(uuidOf(1))?.devices?.letGo("virtio-disk1");
    await runOn(machine, "recover");
    expect(await runOn(machine, "start", "vm2")).toMatchObject({ code: 0, err: "" });
    expect(machine.violations).toEqual([]);
  });

  test("is no work for svirt list, and takes it 2 s more at the most if svirt was killed in it", async () => {
    const machine = await unfinished();
    const kept = await timed(machine, "list");
    expect([kept.err, kept.out.includes("vm1    running (no answer)"), isAsked(machine)]).toEqual([
      "",
      true,
      true,
    ]);
    expect(kept.tookMs).toBeLessThan(1.5 * LIST_MS);
    await killedInDetach(machine);
    const { err, out, tookMs } = await timed(machine, "list");
    expect(tookMs).toBeLessThan(1.5 * CHANGES_MS + LIST_MS);
    expect(out).toContain("vm1    running (no answer)");
    expect(err).toStartWith("warning: ");
  });

  test("of several guests are asked for by svirt recover at once", async () => {
    const changing = async (mute: readonly (readonly [number, Mute])[]): Promise<number> => {
      const machine = await machineWith(3, []);
      machine.qemu = { keepsDevices: true };
      for (const at of [1, 2, 3]) await runOn(machine, "detach-disk", `vm${at}`, "vda");
      machine.qemu = { mute: new Map(mute.map(([at, how]) => [uuidOf(at), how])) };
      return (await timed(machine, "recover")).tookMs;
    };
    const one = await changing([[1, "after greeting"]]);
    const three = await changing([1, 2, 3].map((at) => [at, "after greeting"] as const));
    expect(three).toBeLessThan(1.5 * one);
  });
});

test("a guest that another svirt is still clearing away keeps only commands about it waiting, and svirt list", async () => {
  for (const [words, waits] of [
    [["start", "vm2"], false],
    [["domstate", "vm3"], false],
    [["domstate", "vm1"], true],
    [["list"], true],
  ] as const) {
    const machine = await machineWith(3, []);
    await runOn(machine, "destroy", "vm2");
    const svirt = nodeOn(machine).host;
    await svirt.lock(guestPaths(SYSTEM_PATHS, uuidOf(1)).lock, 0);
    const { pid = 0 } = machine.processes.qemuOf(uuidOf(1)) ?? {};
    machine.processes.end(pid, 0);
    const { code, tookMs } = await timed(machine, ...words);
    expect({ words, code, waits: tookMs >= 1000 }).toEqual({ words, code: 0, waits });
  }
});

test("a destroy of a guest that another svirt is still clearing away does not say that it is off", async () => {
  const machine = await machineWith(1, []);
  const svirt = nodeOn(machine).host;
  await svirt.lock(guestPaths(SYSTEM_PATHS, uuidOf(1)).lock, 0);
  const { pid = 0 } = machine.processes.qemuOf(uuidOf(1)) ?? {};
  machine.processes.end(pid, 0);
  const { code, err } = await timed(machine, "destroy", "vm1");
  expect({ code, err }).toEqual({ code: 6, err: expect.stringContaining("lock") });
});

test("a destroy of a guest that has ended, and that no other svirt clears away, gives its labels back", async () => {
  const machine = await machineWith(1, []);
  const { pid = 0 } = machine.processes.qemuOf(uuidOf(1)) ?? {};
  machine.processes.end(pid, 0);
  const node = nodeOn(machine);
  expect(await destroyDomain(node, "vm1")).toEqual({ name: "vm1", did: false });
  expect(readRecord(node, uuidOf(1))).toBeUndefined();
});

test("no QEMU is asked under the registry's lock, for which every start and end of a guest waits", async () => {
  const machine = await machineWith(2, []);
  const disk = `${IMAGES}/private3.raw`;
  for (const words of [
    ["attach-disk", "vm1", disk, "vdb"],
    ["detach-disk", "vm1", "vdb"],
    ["blockcopy", "vm1", "vda", `${IMAGES}/copy.raw`, "--wait", "--pivot"],
    ["managedsave", "vm2"],
    ["start", "vm2"],
    ["shutdown", "vm2"],
    ["recover"],
  ])
    expect({ words, ...(await runOn(machine, ...words)) }).toMatchObject({ words, code: 0 });
  expect(machine.violations).toEqual([]);
  const node = nodeOn(machine);
  // Proves the check: this call asks QEMU under the lock.
  await withRegistryLock(node, async () => void (await getGuestState(node, recordOf(machine, 1))));
  expect(machine.violations).toEqual([expect.stringContaining("QEMU is asked under the registry's lock")]);
});

function recordOf(machine: Machine, at: number): GuestRecord {
  const record = readRecord(nodeOn(machine), uuidOf(at));
  if (record === undefined) throw new Error(`vm${at} has no record`);
  return record;
}

test("a change that a QEMU does not answer to is not waited for twice, and is taken back once it answers", async () => {
  const machine = await machineWith(1, [[1, "after greeting"]]);
  const disk = `${IMAGES}/private3.raw`;
  const { code, err, tookMs } = await timed(machine, "attach-disk", "vm1", disk, "vdb");
  expect(code).toBe(6);
  expect(err).toStartWith("error: Cannot talk to QEMU");
  expect(tookMs).toBeLessThan(1.2 * CHANGE_TIMEOUT_MS);
  expect(readRecord(nodeOn(machine), uuidOf(1))?.change).toBeDefined();
  machine.qemu = {};
  expect(await runOn(machine, "domstate", "vm1")).toMatchObject({ code: 0, err: "" });
  expect(readRecord(nodeOn(machine), uuidOf(1))?.change).toBeUndefined();
  expect(labelOf(machine, disk)).toBe(ORIGINAL);
});
