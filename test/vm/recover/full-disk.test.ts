import { describe, expect, test } from "bun:test";
import type { Instance } from "../../../src/state/instance.ts";
import { readRecord } from "../../../src/state/record.ts";
import { readReason } from "../../../src/state/shutoff-reason.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { rebootGuest, shutdownGuest } from "../../../src/vm/lifecycle/power-off.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import {
  ALL_KINDS,
  diskXml,
  domainXml,
  errorOf,
  makeMachine,
  nodeOn,
  OTHER,
  reapAll,
  sweepAll,
  UUID,
} from "../../scenes/scene.ts";
import { strikeEverywhere } from "../../scenes/strikes.ts";

const TIMEOUT_MS = 120_000;
const RESTARTS = "<on_crash>restart</on_crash>";

/** Starts a guest, then fills the disk of svirt's records. */
async function running(lifecycle = ""): Promise<Machine> {
  const machine = makeMachine();
  await startDomain(nodeOn(machine), domainXml({ disks: ALL_KINDS, lifecycle }));
  machine.isDiskFull = true;
  return machine;
}

const nothing = (): string[] => snapshot(makeMachine());
const isOff = (machine: Machine): boolean => machine.processes.qemuOf(UUID) === undefined;

describe("with no room for records", () => {
  test("a guest is destroyed, and the reason is kept", async () => {
    const machine = await running();
    expect(await destroyDomain(nodeOn(machine), "vm1")).toEqual({ name: "vm1", did: true });
    expect(snapshot(machine)).toEqual(nothing());
    expect(readReason(nodeOn(machine), UUID)).toBe("destroyed");
  });

  test("a guest that ends by itself is cleared away by its reaper", async () => {
    const machine = await running();
    machine.processes.end(machine.processes.qemuOf(UUID)?.pid ?? 0, 0);
    await reapAll(machine);
    expect(snapshot(machine)).toEqual(nothing());
    expect(readReason(nodeOn(machine), UUID)).toBe("shutdown");
  });

  test("a guest shuts down", async () => {
    const machine = await running();
    await shutdownGuest(nodeOn(machine), "vm1");
    await reapAll(machine);
    expect(snapshot(machine)).toEqual(nothing());
    expect(readReason(nodeOn(machine), UUID)).toBe("shutdown");
  });

  test("a reboot is refused, since nothing would tell that the guest is to be started again", async () => {
    const machine = await running();
    expect((await errorOf(rebootGuest(nodeOn(machine), "vm1"))).message).toContain("ENOSPC");
    machine.pass(1000);
    expect(isOff(machine)).toBe(false);
  });

  test("what a power failure has left is recovered", async () => {
    const machine = await running();
    machine.reboot();
    await sweepAll(machine);
    machine.isDiskFull = false;
    expect(readRecord(nodeOn(machine), UUID)).toBeUndefined();
    expect(machine.violations).toEqual([]);
  });

  test("a start fails and leaves nothing", async () => {
    const machine = await running();
    const before = snapshot(machine);
    const other = { name: "vm2", uuid: OTHER, disks: diskXml("/var/lib/images/private1.raw", "vda") };
    expect((await errorOf(startDomain(nodeOn(machine), domainXml(other)))).message).toContain("ENOSPC");
    machine.pass(1000);
    machine.reaps.splice(0);
    expect(snapshot(machine)).toEqual(before);
  });

  test("a note of an earlier start says nothing of a later one", async () => {
    const machine = await running(RESTARTS);
    const note = `/run/svirt/ending/${UUID}`;
    await shutdownGuest(nodeOn(machine), "vm1");
    const { bytes } = machine.files.get(note);
    await reapAll(machine);
    expect(machine.files.find(note)).toBeUndefined();
    machine.isDiskFull = false;
    machine.pass(1000);
    await startDomain(nodeOn(machine), domainXml({ disks: ALL_KINDS, lifecycle: RESTARTS }));
    machine.files.put(note, "file", { bytes });
    expect(readRecord(nodeOn(machine), UUID)?.intent).toBeUndefined();
  });

  test(
    "a guest that is destroyed is not started again, wherever that is killed",
    async () => {
      const prepare = (): Promise<Machine> => running(RESTARTS);
      const first = (await prepare()).processes.qemuOf(UUID)?.pid;
      const subject = {
        name: "destroy",
        prepare,
        work: (instance: Instance) => destroyDomain(instance, "vm1"),
      };
      await strikeEverywhere(subject, "crash", async (machine, place) => {
        await sweepAll(machine);
        await reapAll(machine);
        const now = machine.processes.qemuOf(UUID)?.pid;
        expect([place, now === undefined || now === first]).toEqual([place, true]);
        if (now !== undefined) return;
        // A leftover note of a guest's end has no effect on a later start.
        const left = snapshot(machine).filter((line) => !line.includes(`/run/svirt/ending/${UUID} `));
        expect([place, ...left]).toEqual([place, ...nothing()]);
      });
    },
    TIMEOUT_MS,
  );
});
