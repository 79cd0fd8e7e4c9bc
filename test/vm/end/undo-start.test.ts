import { describe, expect, test } from "bun:test";
import type { Host } from "../../../src/host/host.ts";
import type { Instance } from "../../../src/state/instance.ts";
import { attachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { deviceOf, machineWithDisks, recordOf, SECOND } from "../../scenes/hotplug.ts";
import {
  diskXml,
  domainXml,
  errorOf,
  labelOf,
  makeMachine,
  nodeOn,
  ORIGINAL,
  sweepAll,
} from "../../scenes/scene.ts";

const DISK = "/var/lib/images/private1.raw";
const TOP = "/var/lib/images/top.qcow2";

/** Returns an svirt instance that can label that file and cannot restore its label. */
function cannotRestore(machine: Machine, path: string): Instance {
  const node = nodeOn(machine);
  let isLabelled = false;
  const host: Host = {
    ...node.host,
    withInspected: (named, use) => {
      if (named === path && isLabelled) throw new Error("EIO: the disk cannot be read");
      return node.host.withInspected(named, use);
    },
    withAttributes: (file, use) => {
      isLabelled ||= file.path === path;
      return node.host.withAttributes(file, use);
    },
  };
  return { ...node, host };
}

describe("what cannot be taken back", () => {
  test("of a start is told beside what it failed for, and is done by the next call", async () => {
    const machine = makeMachine();
    const before = snapshot(machine);
    machine.qemu = { endsAtOnce: { status: 1, says: "no such machine" } };
    const instance = cannotRestore(machine, DISK);
    const error = await errorOf(startDomain(instance, domainXml({ disks: diskXml(DISK, "vda") })));
    expect(error.message).toContain("no such machine");
    expect(error.message).toContain("undoing the start failed as well: ");
    expect(error.message).toContain("EIO: the disk cannot be read");
    expect(labelOf(machine, DISK)).toContain(":svirt_image_t:");
    expect(recordOf(machine).state).toBe("stopping");
    await sweepAll(machine);
    expect(snapshot(machine)).toEqual(before);
  });

  test("of a device that QEMU refuses is told beside its words, and is done by the next call", async () => {
    const machine = await machineWithDisks();
    const { steps } = recordOf(machine);
    machine.qemu = { refuses: "device_add" };
    const ask = { key: "vm1", options: {}, isDryRun: false };
    const error = await errorOf(attachDevice(cannotRestore(machine, TOP), ask, deviceOf(SECOND)));
    expect(error.message).toContain("as the test wants it");
    expect(error.message).toContain("EIO: the disk cannot be read");
    expect(recordOf(machine).change).toMatchObject({ stage: "doing" });
    await sweepAll(machine);
    expect(labelOf(machine, TOP)).toBe(ORIGINAL);
    expect([recordOf(machine).change, recordOf(machine).steps]).toEqual([undefined, steps]);
  });
});
