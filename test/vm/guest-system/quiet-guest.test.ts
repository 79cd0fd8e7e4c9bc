// In turn: it takes seconds of a processor.
import { describe, expect, test } from "bun:test";
import { deviceLock, guestPaths } from "../../../src/plan/paths.ts";
import { readRecord, writeRecord } from "../../../src/state/record.ts";
import { readSnapshots } from "../../../src/state/snapshots/snapshots.ts";
import { recoverBefore } from "../../../src/vm/recover/recover-before.ts";
import { dumpDomain } from "../../../src/vm/save/dump-domain.ts";
import { saveDomain } from "../../../src/vm/save/save-domain.ts";
import { createSnapshot, newSnapshot } from "../../../src/vm/snapshot/create-snapshot.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { sampleOf } from "../../sample.ts";
import { machineWithChain } from "../../scenes/block.ts";
import { ENCRYPTION, machineWithLuks, withQuickKeys } from "../../scenes/luks.ts";
import { errorOf, nodeOn, UUID } from "../../scenes/scene.ts";
import { beStruck, endUnseen, instantsOf, type Work } from "../../scenes/strikes.ts";

const CHANNEL = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>";

/** Agent that freezes and thaws, as qemu.git qga/commands.c: it refuses to freeze twice. */
class Freezer extends Map<string, object> {
  isFrozen = false;
  readonly heard: string[] = [];
  answer: object = { return: 1 };
  onCommand: (command: string) => unknown = () => undefined;

  override get(command: string): object {
    this.heard.push(command);
    this.onCommand(command);
    const freezes = command === "guest-fsfreeze-freeze";
    if (command === "guest-fsfreeze-status") return { return: this.isFrozen ? "frozen" : "thawed" };
    if (freezes && this.isFrozen)
      return { error: { class: "GenericError", desc: "not allowed when frozen" } };
    this.isFrozen = freezes && !("error" in this.answer);
    return freezes ? this.answer : { return: 1 };
  }
}

const [FREEZE, THAW] = ["guest-fsfreeze-freeze", "guest-fsfreeze-thaw"];
const agents = new WeakMap<Machine, Freezer>();
const agentOf = (machine: Machine): Freezer => agents.get(machine) ?? new Freezer();

async function withFreezer(prepare = machineWithChain): Promise<Machine> {
  const machine = await prepare(CHANNEL);
  const socket = machine.files.put(`/run/svirt/${UUID}/guest/channel0.sock`, "socket");
  socket.xattrs.set("security.selinux", readRecord(nodeOn(machine), UUID)?.label.imageLabel ?? "");
  const freezer = new Freezer();
  machine.agent.answers = freezer;
  agents.set(machine, freezer);
  return machine;
}

const take =
  (more: { readonly quiesces?: boolean; readonly halts?: boolean }): Work =>
  async (node) => {
    const flags = { isDiskOnly: true, isKept: true, reuses: false, ...more };
    const wanted = newSnapshot(node, { name: "s1", description: undefined, disks: [], flags });
    await createSnapshot(node, UUID, { snapshot: wanted });
  };
const quietly = take({ quiesces: true });
const isMarked = (machine: Machine): boolean => readRecord(nodeOn(machine), UUID)?.frozen === true;
const namesOn = (machine: Machine): string[] =>
  readSnapshots(nodeOn(machine), UUID).snapshots.map(({ name }) => name);

describe("a quiesced snapshot", () => {
  test("has the headers of its encrypted images made before the guest is frozen", async () => {
    const machine = await withFreezer(machineWithLuks);
    const freezer = agentOf(machine);
    const { host, ...node } = withQuickKeys(nodeOn(machine));
    const quick = await host.getCryptography();
    const deriveKey: typeof quick.deriveKey = (options) => {
      freezer.heard.push("key");
      return quick.deriveKey(options);
    };
    const told = { ...node, host: { ...host, getCryptography: async () => ({ ...quick, deriveKey }) } };
    const disk = { name: "vda", snapshot: "external", driver: undefined, file: "/var/lib/images/new" };
    const flags = { isDiskOnly: true, isKept: true, reuses: false, quiesces: true };
    const disks = [{ ...disk, encryption: ENCRYPTION }];
    const wanted = newSnapshot(told, { name: "s1", description: undefined, disks, flags });
    await createSnapshot(told, UUID, { snapshot: wanted });
    expect([...new Set(freezer.heard)]).toEqual(["key", "guest-fsfreeze-status", FREEZE, THAW]);
    expect(freezer.heard.slice(freezer.heard.indexOf(FREEZE))).not.toContain("key");
    expect(namesOn(machine)).toEqual(["s1"]);
  });

  test("is taken while the file systems are frozen, which are thawed", async () => {
    const machine = await withFreezer();
    await quietly(nodeOn(machine));
    expect(agentOf(machine).heard).toEqual([
      "guest-fsfreeze-status",
      "guest-fsfreeze-freeze",
      "guest-fsfreeze-thaw",
    ]);
    expect([agentOf(machine).isFrozen, isMarked(machine), namesOn(machine)]).toEqual([false, false, ["s1"]]);
    expect([...machine.locks]).toEqual([]);
  });

  test("is not ended by a signal while the file systems are frozen", async () => {
    const machine = await withFreezer();
    const deferred: [string, boolean][] = [];
    agentOf(machine).onCommand = (command) => deferred.push([command, machine.defersSignals]);
    await quietly(nodeOn(machine));
    expect(deferred.slice(1)).toEqual([
      [FREEZE, true],
      [THAW, true],
    ]);
    expect(machine.defersSignals).toBe(false);
  });

  test("that QEMU refuses leaves nothing frozen", async () => {
    const machine = await withFreezer();
    machine.qemu = { ...machine.qemu, refuses: "transaction" };
    await errorOf(quietly(nodeOn(machine)));
    expect([agentOf(machine).isFrozen, isMarked(machine), namesOn(machine)]).toEqual([false, false, []]);
  });

  test("does not thaw file systems that somebody has frozen", async () => {
    const machine = await withFreezer();
    agentOf(machine).isFrozen = true;
    expect((await errorOf(quietly(nodeOn(machine)))).message).toContain("are frozen already");
    expect([agentOf(machine).isFrozen, namesOn(machine)]).toEqual([true, []]);
  });

  test("needs an agent that answers, and is not taken without", async () => {
    const machine = await withFreezer();
    machine.agent.answers = undefined;
    expect((await errorOf(quietly(nodeOn(machine)))).message).toContain("not responding");
    expect([isMarked(machine), namesOn(machine)]).toEqual([false, []]);
  });

  test("waits 5 s for a silent agent, also if its guest's own time has no limit", async () => {
    const machine = await withFreezer();
    const guest = readRecord(nodeOn(machine), UUID);
    if (guest !== undefined) writeRecord(nodeOn(machine), { ...guest, agentTimeout: -2 });
    machine.agent.silent = new Set(["guest-fsfreeze-status"]);
    const open = [{ label: "charchannel0", filename: "", "frontend-open": true }];
    machine.qemu = { ...machine.qemu, answers: new Map([["query-chardev", open]]) };
    expect((await errorOf(quietly(nodeOn(machine)))).kind).toBe("timeout");
    expect(machine.agent.waited).toEqual([5000, 5000]);
    expect([isMarked(machine), namesOn(machine)]).toEqual([false, []]);
  });

  test("says so if the agent does not thaw, and the next call tries once more", async () => {
    const machine = await withFreezer();
    machine.agent.silent = new Set(["guest-fsfreeze-thaw"]);
    const error = await errorOf(quietly(nodeOn(machine)));
    expect(error.message).toStartWith("Cannot thaw the file systems of vm1");
    expect([isMarked(machine), namesOn(machine)]).toEqual([true, ["s1"]]);
    const { errors } = await recoverBefore(nodeOn(machine), [UUID]);
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining("Cannot thaw")]);
    expect((await recoverBefore(nodeOn(machine), [UUID])).errors).toEqual([]);
  });

  test("that another process takes is left to it", async () => {
    const machine = await withFreezer();
    const node = nodeOn(machine);
    const release = await node.host.lock(deviceLock(node.paths, UUID, "quiesce"), 0);
    expect((await errorOf(quietly(nodeOn(machine)))).message).toContain("are frozen already");
    release();
  });

  test("has file systems thawed that an agent has frozen, and whose answer cannot be read", async () => {
    const machine = await withFreezer();
    agentOf(machine).answer = { return: "many" };
    expect((await errorOf(quietly(nodeOn(machine)))).message).toContain("is malformed");
    expect([agentOf(machine).isFrozen, isMarked(machine), namesOn(machine)]).toEqual([false, false, []]);
  });

  test("has nothing thawed if the agent refuses to freeze", async () => {
    const machine = await withFreezer();
    agentOf(machine).answer = { error: { class: "GenericError", desc: "no" } };
    await errorOf(quietly(nodeOn(machine)));
    expect([agentOf(machine).heard.includes(THAW), isMarked(machine)]).toEqual([false, false]);
  });

  test("fails soon if another call has the guest's lock, and has the file systems thawed", async () => {
    const machine = await withFreezer();
    const other = nodeOn(machine);
    const { lock } = guestPaths(other.paths, UUID);
    const times: number[] = [];
    agentOf(machine).onCommand = (command) => {
      times.push(machine.nowMs);
      if (command === FREEZE) machine.locks.set(lock, other.svirt);
      if (command === THAW) machine.locks.delete(lock);
    };
    expect(await errorOf(quietly(nodeOn(machine)))).toMatchObject({
      kind: "timeout",
      message: expect.stringContaining(`Cannot lock ${lock}`),
    });
    // By the clock of the machine in memory.
    const [, frozen = 0, thawed = Infinity] = times;
    expect(thawed - frozen).toBeLessThan(3000);
    expect([agentOf(machine).isFrozen, isMarked(machine), namesOn(machine)]).toEqual([false, false, []]);
  });

  test("that is killed at any instant has its file systems thawed once the next call has begun", async () => {
    let frozen = 0;
    const instants = await instantsOf(withFreezer, quietly);
    const first = await callsUntilFreeze();
    const between = instants.filter(({ at }) => at === first + 1);
    for (const strike of [...between, ...sampleOf(instants)]) {
      const machine = await withFreezer();
      await beStruck(machine, quietly, strike);
      if (agentOf(machine).isFrozen) frozen += 1;
      const { errors } = await recoverBefore(nodeOn(machine), [UUID]);
      expect([strike, errors, agentOf(machine).isFrozen, isMarked(machine)]).toEqual([
        strike,
        [],
        false,
        false,
      ]);
    }
    expect(frozen).toBeGreaterThan(0);
  }, 120_000);
});

/** Returns the number of changing calls until the file systems are frozen. */
async function callsUntilFreeze(): Promise<number> {
  const machine = await withFreezer();
  const node = nodeOn(machine);
  let calls = 0;
  agentOf(machine).onCommand = (command) => {
    if (command === FREEZE) calls = node.svirt.changes.length;
  };
  await quietly(node);
  return calls;
}

const path = "/var/lib/images/vm1.state";
const dumped = { format: "elf", live: true, afterwards: "go-on" } as const;

test.each<[string, Work]>([
  ["save", (node) => saveDomain(node, "vm1", { resumes: undefined, path })],
  ["dump", (node) => dumpDomain(node, "vm1", { path, options: dumped })],
])("%s refuses a guest whose file systems are frozen", async (_, write) => {
  const machine = await withFreezer();
  const guest = readRecord(nodeOn(machine), UUID);
  if (guest !== undefined) writeRecord(nodeOn(machine), { ...guest, frozen: true });
  const before = snapshot(machine);
  expect(await errorOf(write(nodeOn(machine)))).toMatchObject({
    kind: "wrong-state",
    message: "Requested operation is not valid: the file systems of domain 'vm1' are frozen by a snapshot",
  });
  expect(snapshot(machine)).toEqual(before);
});

describe("a guest that a killed svirt has left frozen", () => {
  async function leftFrozen(): Promise<Machine> {
    const machine = await withFreezer();
    const guest = readRecord(nodeOn(machine), UUID);
    if (guest !== undefined) writeRecord(nodeOn(machine), { ...guest, frozen: true });
    agentOf(machine).isFrozen = true;
    return machine;
  }

  /**
   * Has a command about all guests recover, and returns the errors and the milliseconds by the machine's
   * clock.
   */
  async function recoverAllOn(machine: Machine): Promise<readonly [string[], number]> {
    const begin = machine.nowMs;
    const { errors } = await recoverBefore(nodeOn(machine), "all");
    return [errors.map(({ message }) => message), machine.nowMs - begin];
  }

  test("whose agent is silent delays a list by 2 s at most, and once", async () => {
    const machine = await leftFrozen();
    machine.agent.answers = undefined;
    const [errors, ms] = await recoverAllOn(machine);
    expect([errors, ms <= 2100]).toEqual([[expect.stringContaining("Cannot thaw")], true]);
    expect(isMarked(machine)).toBe(false);
  });

  test("whose agent others use is thawed by a later call", async () => {
    const machine = await leftFrozen();
    const other = nodeOn(machine);
    const turn = deviceLock(other.paths, UUID, "channel0");
    machine.locks.set(turn, other.svirt);
    const [errors, ms] = await recoverAllOn(machine);
    expect([errors, ms <= 2100]).toEqual([[expect.stringContaining("Cannot thaw")], true]);
    machine.locks.delete(turn);
    expect((await recoverAllOn(machine))[0]).toEqual([]);
    expect([agentOf(machine).isFrozen, isMarked(machine)]).toEqual([false, false]);
  });

  test("does not wait for the guest's lock", async () => {
    const machine = await leftFrozen();
    const other = nodeOn(machine);
    machine.locks.set(guestPaths(other.paths, UUID).lock, other.svirt);
    const [errors, ms] = await recoverAllOn(machine);
    expect([errors, ms <= 2100, agentOf(machine).isFrozen]).toEqual([[], true, false]);
  });

  test("and changed has the change undone, though its agent is silent", async () => {
    const machine = await leftFrozen();
    machine.agent.answers = undefined;
    const guest = readRecord(nodeOn(machine), UUID);
    const change = { what: "nothing", stage: "doing", steps: [], after: [], xml: guest?.xml ?? "" } as const;
    if (guest !== undefined)
      writeRecord(nodeOn(machine), { ...guest, change: { ...change, steps: [], after: [] } });
    expect((await recoverAllOn(machine))[0]).toEqual([expect.stringContaining("Cannot thaw")]);
    expect(readRecord(nodeOn(machine), UUID)?.change).toBeUndefined();
  });

  test("and that ends meanwhile has no other error than the agent's", async () => {
    const machine = await leftFrozen();
    machine.agent.silent = new Set([THAW]);
    agentOf(machine).onCommand = () => undefined;
    const channel = machine.agent.connect.bind(machine.agent);
    machine.agent.connect = () => {
      endUnseen(machine);
      return channel();
    };
    expect((await recoverAllOn(machine))[0]).toEqual([expect.stringContaining("Cannot thaw")]);
  });
});

test("a quiesced snapshot that halts ends the guest while its file systems are frozen", async () => {
  const machine = await withFreezer();
  await take({ quiesces: true, halts: true })(nodeOn(machine));
  expect([readRecord(nodeOn(machine), UUID), namesOn(machine)]).toEqual([undefined, ["s1"]]);
  expect(agentOf(machine).heard).toEqual(["guest-fsfreeze-status", FREEZE]);
  expect([...machine.locks]).toEqual([]);
});

test("a snapshot that halts ends the guest, and is stored", async () => {
  const machine = await withFreezer();
  await take({ halts: true })(nodeOn(machine));
  expect([readRecord(nodeOn(machine), UUID), namesOn(machine)]).toEqual([undefined, ["s1"]]);
});
