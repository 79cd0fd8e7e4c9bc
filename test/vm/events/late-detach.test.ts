import { expect, test } from "bun:test";
import { guestPaths, SYSTEM_PATHS } from "../../../src/plan/paths.ts";
import type { Instance } from "../../../src/state/instance.ts";
import { GuestFeeds } from "../../../src/vm/events/guest-feeds.ts";
import { LateDetach } from "../../../src/vm/events/late-detach.ts";
import { detachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { deviceOf, machineWithDisks, recordOf, SECOND } from "../../scenes/hotplug.ts";
import { labelOf, nodeOn, ORIGINAL, UUID } from "../../scenes/scene.ts";

const { events: EVENTS, lock: LOCK } = guestPaths(SYSTEM_PATHS, UUID);
const DEVICE = "virtio-disk1";

/** Returns a machine whose guest keeps a disk that it was asked for. */
async function machineThatKeeps(): Promise<Machine> {
  const machine = await machineWithDisks(SECOND);
  machine.qemu = { keepsDevices: true };
  const ask = { key: "vm1", options: {}, isDryRun: false, isRequestEnough: true } as const;
  await detachDevice(nodeOn(machine), ask, deviceOf(SECOND));
  return machine;
}

/** Returns an instance that calls `ask` before it locks the guest. */
function lockingBy(machine: Machine, ask: () => Promise<void>): Instance {
  const { host, ...node } = nodeOn(machine);
  const lock: typeof host.lock = async (path, timeoutMs) => {
    if (path === LOCK) await ask();
    return await host.lock(path, timeoutMs);
  };
  return { ...node, host: { ...host, lock } };
}

function follow(instance: Instance, machine: Machine): GuestFeeds {
  const feeds = new GuestFeeds(instance);
  feeds.follow(new Map([[UUID, { ...recordOf(machine), state: "running", steps: [] }]]));
  return feeds;
}

function report(machine: Machine): void {
  machine.eventFeeds.send(EVENTS, "DEVICE_DELETED", { device: DEVICE });
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await Bun.sleep(5);
}

test("a device that the guest releases late is detached, once another svirt no longer holds the guest's lock", async () => {
  const machine = await machineThatKeeps();
  const unlock = await nodeOn(machine).host.lock(LOCK, 0);
  let asked = 0;
  const instance = lockingBy(machine, async () => {
    asked += 1;
  });
  const feeds = follow(instance, machine);
  machine.processes.qemuOf(UUID)?.devices?.letGo(DEVICE);
  report(machine);
  await until(() => asked === 1);
  expect(recordOf(machine).asked).toEqual([DEVICE]);
  unlock();
  await until(() => recordOf(machine).asked === undefined);
  expect(labelOf(machine, "/var/lib/images/top.qcow2")).toBe(ORIGINAL);
  await feeds.close();
});

test("a QEMU that reports a release over and over has its guest looked at once, and keeps the device that it has", async () => {
  const machine = await machineThatKeeps();
  let asked = 0;
  let done = false;
  const instance = lockingBy(machine, async () => {
    asked += 1;
  });
  const held = labelOf(machine, "/var/lib/images/top.qcow2");
  const { host } = instance;
  const connectMonitor: typeof host.connectMonitor = async (...to) => {
    const monitor = await host.connectMonitor(...to);
    return {
      ...monitor,
      close() {
        monitor.close();
        done = true;
      },
    };
  };
  const late = new LateDetach({ ...instance, host: { ...host, connectMonitor } }, recordOf(machine));
  for (let at = 0; at < 1000; at += 1) late.request();
  await until(() => done);
  expect([asked, recordOf(machine).asked]).toEqual([1, [DEVICE]]);
  expect(labelOf(machine, "/var/lib/images/top.qcow2")).toBe(held);
  late.close();
});

test("close() does not wait for the detach of a device", async () => {
  const machine = await machineThatKeeps();
  let asked = 0;
  const instance = lockingBy(machine, () => {
    asked += 1;
    return Promise.withResolvers<void>().promise;
  });
  const feeds = follow(instance, machine);
  report(machine);
  await until(() => asked === 1);
  await feeds.close();
  expect(recordOf(machine).asked).toEqual([DEVICE]);
});
