import { expect, test } from "bun:test";
import { guestPaths, reportsLock, SYSTEM_PATHS } from "../../../src/plan/paths.ts";
import type { QmpEvent } from "../../../src/qemu/monitor/qmp.ts";
import type { Instance } from "../../../src/state/instance.ts";
import { lastReports } from "../../../src/state/reports/guest-reports.ts";
import { reportsFile } from "../../../src/state/reports/report-files.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { writeReports } from "../../../src/vm/events/write-reports.ts";
import { detachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { deviceOf, machineWithDisks, recordOf, SECOND } from "../../scenes/hotplug.ts";
import { nodeOn, putText, UUID } from "../../scenes/scene.ts";

const FILE = reportsFile({ paths: SYSTEM_PATHS }, UUID);
const RECORD = guestPaths(SYSTEM_PATHS, UUID).record;

const onReleased = (): undefined => undefined;

/** Returns a feed with these events. */
function feedOf(...names: readonly string[]) {
  const events = names.map((name): QmpEvent => ({ is: "event", name, facts: new Map(), atMs: 1000 }));
  return { take: () => events.splice(0) };
}

async function write(machine: Machine, instance: Instance, ...names: readonly string[]): Promise<void> {
  await writeReports(instance, recordOf(machine), { feed: feedOf(...names), onReleased });
}

function kept(machine: Machine): readonly string[] {
  return lastReports(nodeOn(machine), recordOf(machine)).map(({ report }) => report);
}

test("writeReports() reports the release of a device that the guest was asked for, and of no other", async () => {
  const machine = await machineWithDisks(SECOND);
  machine.qemu = { keepsDevices: true };
  const ask = { key: "vm1", options: {}, isDryRun: false, isRequestEnough: true } as const;
  await detachDevice(nodeOn(machine), ask, deviceOf(SECOND));
  const told: string[] = [];
  for (const device of ["virtio-disk0", "virtio-disk1"]) {
    const facts = new Map([["device", device]]);
    const event: QmpEvent = { is: "event", name: "DEVICE_DELETED", facts, atMs: 1000 };
    const from = { feed: { take: () => [event] }, onReleased: () => void told.push(device) };
    await writeReports(nodeOn(machine), recordOf(machine), from);
  }
  expect(told).toEqual(["virtio-disk1"]);
});

test("writeReports() of two processes at once loses no report", async () => {
  const machine = await machineWithDisks();
  const { host, ...node } = nodeOn(machine);
  let other: Promise<unknown> | undefined;
  const readText: typeof host.readText = (path) => {
    const text = host.readText(path);
    if (path === FILE) other ??= write(machine, nodeOn(machine), "WAKEUP");
    return text;
  };
  await write(machine, { ...node, host: { ...host, readText } }, "SUSPEND");
  await other;
  expect(kept(machine)).toEqual(["pm-suspend", "pm-wakeup"]);
});

test("writeReports() waits a second for another process, and leaves its reports for the next call then", async () => {
  const machine = await machineWithDisks();
  const unlock = await nodeOn(machine).host.lock(reportsLock(SYSTEM_PATHS, UUID), 0);
  const before = machine.nowMs;
  const from = { feed: feedOf("SUSPEND"), onReleased };
  expect(await writeReports(nodeOn(machine), recordOf(machine), from)).toBe(false);
  expect(machine.nowMs - before).toBeLessThan(2000);
  expect(kept(machine)).toEqual([]);
  unlock();
  expect(await writeReports(nodeOn(machine), recordOf(machine), from)).toBe(true);
  expect(kept(machine)).toEqual(["pm-suspend"]);
});

test("writeReports() leaves no file of a guest whose end comes before the file or after it", async () => {
  const machine = await machineWithDisks();
  const record = machine.files.get(RECORD).bytes;
  const { host, ...node } = nodeOn(machine);
  const writeVolatile: typeof host.writeVolatile = (path, ...rest) => {
    if (path === FILE) machine.files.remove(RECORD);
    host.writeVolatile(path, ...rest);
  };
  await write(machine, { ...node, host: { ...host, writeVolatile } }, "SUSPEND");
  expect(machine.files.find(FILE)).toBeUndefined();
  putText(machine, RECORD, new TextDecoder().decode(record));
  const removeFile: typeof host.removeFile = (path) => {
    if (path === RECORD) putText(machine, FILE, "as by another process");
    host.removeFile(path);
  };
  await destroyDomain({ ...node, host: { ...host, removeFile } }, UUID);
  expect([machine.files.find(RECORD), machine.files.find(FILE)]).toEqual([undefined, undefined]);
});

test("a guest's end holds the lock of reports while it removes the record, so that a kill leaves no file", async () => {
  const machine = await machineWithDisks();
  const { host, ...node } = nodeOn(machine);
  const locked: boolean[] = [];
  const removeFile: typeof host.removeFile = (path) => {
    if (path === RECORD) locked.push(host.isLocked(reportsLock(SYSTEM_PATHS, UUID)));
    host.removeFile(path);
  };
  await destroyDomain({ ...node, host: { ...host, removeFile } }, UUID);
  expect(locked).toEqual([true]);
  expect(host.isLocked(reportsLock(SYSTEM_PATHS, UUID))).toBe(false);
});

test("a guest ends though another svirt keeps the lock of its reports", async () => {
  const machine = await machineWithDisks();
  await nodeOn(machine).host.lock(reportsLock(SYSTEM_PATHS, UUID), 0);
  await destroyDomain(nodeOn(machine), UUID);
  expect(machine.files.find(RECORD)).toBeUndefined();
});
