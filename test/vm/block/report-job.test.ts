import { describe, expect, test } from "bun:test";
import { guestPaths, SYSTEM_PATHS } from "../../../src/plan/paths.ts";
import { lastReports } from "../../../src/state/guest-reports.ts";
import { watchEvents } from "../../../src/vm/events/watch-events.ts";
import { runOn } from "../../cli/in-memory.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { commitOn, endOn, IMAGES, machineWithChain, pullOn, waitOn } from "../../scenes/block.ts";
import { recordOf } from "../../scenes/hotplug.ts";
import { nodeOn, UUID } from "../../scenes/scene.ts";

// virsh waits for an event if it could register for one: virshBlockJobWait() of libvirt. QEMU reports none without a monitor for events.

/** Returns a machine whose guest an older svirt has started. */
async function oldMachine(): Promise<Machine> {
  const machine = await machineWithChain();
  machine.files.remove(guestPaths(SYSTEM_PATHS, UUID).events);
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
    watch.close();
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
