import { describe, expect, test } from "bun:test";
import { guestPaths, SYSTEM_PATHS } from "../../../src/plan/paths.ts";
import { lastReports } from "../../../src/state/reports/guest-reports.ts";
import { reportsFile } from "../../../src/state/reports/report-files.ts";
import { readJob } from "../../../src/vm/block/jobs.ts";
import { watchEvents } from "../../../src/vm/events/watch-events.ts";
import { runOn } from "../../cli/in-memory.ts";
import { hostCall } from "../../memory-host/file-tree.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { commitOn, endOn, IMAGES, machineWithChain, pullOn, waitOn } from "../../scenes/block.ts";
import { recordOf } from "../../scenes/hotplug.ts";
import { nodeOn, UUID } from "../../scenes/scene.ts";

// virsh waits for an event if it could register for one: virshBlockJobWait() of libvirt. QEMU reports none
// without a monitor for events.

/** Returns a machine whose guest an older svirt has started. */
async function oldMachine(): Promise<Machine> {
  const machine = await machineWithChain();
  machine.files.remove(guestPaths(SYSTEM_PATHS, UUID).events);
  return machine;
}

/** Returns a machine with such a guest and a job that is ready, which is not reported yet. */
async function readyMachine(): Promise<Machine> {
  const machine = await oldMachine();
  await commitOn(nodeOn(machine));
  await waitOn(nodeOn(machine));
  machine.files.remove(reportsFile(nodeOn(machine), UUID));
  return machine;
}

function reported(machine: Machine): readonly unknown[] {
  return lastReports(nodeOn(machine), recordOf(machine)).map((report) =>
    report.report === "block-job"
      ? `${report.type} of ${report.disk} ${report.status} ${report.path}`
      : report,
  );
}

const READY = `active-commit of vda ready ${IMAGES}/top.qcow2`;

describe("of a guest without a monitor for events", () => {
  test("each look says once that a job is ready, and its end is reported", async () => {
    const machine = await oldMachine();
    await commitOn(nodeOn(machine));
    await waitOn(nodeOn(machine));
    for (let looks = 0; looks < 2; looks += 1) await runOn(machine, "blockjob", "vm1", "vda", "--info");
    expect(reported(machine)).toEqual([READY]);
    await endOn(nodeOn(machine), "abort");
    const end = `active-commit of vda completed ${IMAGES}/top.qcow2`;
    expect(reported(machine)).toEqual([READY, end.replace("completed", "cancelled")]);
    await commitOn(nodeOn(machine));
    await waitOn(nodeOn(machine));
    await endOn(nodeOn(machine), "pivot");
    expect(reported(machine).slice(2)).toEqual([READY, end]);
  });

  test("a failure is reported by the next look, and clients hear of it", async () => {
    const machine = await oldMachine();
    const watch = watchEvents(nodeOn(machine));
    await commitOn(nodeOn(machine));
    const { jobs } = machine.processes.qemuOf(UUID)?.devices ?? {};
    jobs?.fail("active-commit-vda-libvirt-2-storage", "No space left on device");
    await runOn(machine, "blockjob", "vm1", "vda", "--info");
    expect(reported(machine)).toEqual([`active-commit of vda failed ${IMAGES}/top.qcow2`]);
    await watch.wait();
    expect(watch.take().map((event) => (event.of === "guest" ? event.what : event.of))).toContainEqual(
      expect.objectContaining({ report: "block-job", status: "failed" }),
    );
    await watch.close();
  });

  test("a look reports nothing while another call has the guest, and does not wait", async () => {
    const machine = await readyMachine();
    const unlock = await nodeOn(machine).host.lock(guestPaths(SYSTEM_PATHS, UUID).lock, 0);
    const before = machine.nowMs;
    expect(await readJob(nodeOn(machine), UUID, "vda")).toMatchObject({ qemu: { status: "ready" } });
    expect(reported(machine)).toEqual([]);
    expect(machine.nowMs - before).toBeLessThan(100);
    unlock();
    await readJob(nodeOn(machine), UUID, "vda");
    expect(reported(machine)).toEqual([READY]);
  });

  test("a look does not report a job that has ended since", async () => {
    const machine = await readyMachine();
    const { host, ...node } = nodeOn(machine);
    // The job ends while this look waits for its turn at the lock.
    let isEnded = false;
    const lock: typeof host.lock = async (...args) => {
      isEnded = true;
      await endOn(nodeOn(machine), "abort");
      return await host.lock(...args);
    };
    await readJob({ ...node, host: { ...host, lock } }, UUID, "vda");
    expect([isEnded, reported(machine)]).toEqual([true, [READY.replace("ready", "cancelled")]]);
  });

  test("a look does not fail with its report", async () => {
    const machine = await readyMachine();
    const { host, ...node } = nodeOn(machine);
    const readText: typeof host.readText = (path) => {
      if (path === reportsFile(node, UUID)) throw hostCall(`read ${path}`, "ENFILE");
      return host.readText(path);
    };
    const job = await readJob({ ...node, host: { ...host, readText } }, UUID, "vda");
    expect(job).toMatchObject({ qemu: { status: "ready" } });
  });

  test("a pull that ends is reported", async () => {
    const machine = await oldMachine();
    await pullOn(nodeOn(machine));
    await waitOn(nodeOn(machine));
    expect(reported(machine)).toEqual([`pull of vda completed ${IMAGES}/top.qcow2`]);
  });
});

test("of another guest only QEMU reports jobs", async () => {
  const machine = await machineWithChain();
  await commitOn(nodeOn(machine));
  await waitOn(nodeOn(machine));
  await runOn(machine, "blockjob", "vm1", "vda", "--info");
  await endOn(nodeOn(machine), "abort");
  expect(reported(machine)).toEqual([]);
});
