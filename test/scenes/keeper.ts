import { fileKey } from "../../src/plan/facts/file-key.ts";
import { registryOf } from "../../src/state/instance.ts";
import { writeRecord } from "../../src/state/record.ts";
import type { Ask } from "../../src/vm/change/change-domain.ts";
import { attachDevice, detachDevice } from "../../src/vm/hotplug/change-devices.ts";
import type { Machine } from "../memory-host/machine.ts";
import { IMAGES } from "./block.ts";
import { deviceOf, machineWithDisks, recordOf, SECOND } from "./hotplug.ts";
import { errorOf, nodeOn, UUID } from "./scene.ts";

const ASK: Ask = { key: "vm1", options: {}, isDryRun: false };
const TOP = `${IMAGES}/top.qcow2`;

/**
 * Returns a machine whose QEMU keeps a detached disk's files open without a claim, as left by an svirt that
 * did not ask the kernel.
 */
export async function machineWithKeeper(disks = ""): Promise<Machine> {
  const machine = await machineWithDisks(disks);
  machine.qemu = { keepsFiles: true };
  await attachDevice(nodeOn(machine), ASK, deviceOf(SECOND));
  await errorOf(detachDevice(nodeOn(machine), ASK, deviceOf(SECOND)));
  const { change: _, ...guest } = recordOf(machine);
  writeRecord(nodeOn(machine), guest);
  const registry = registryOf(nodeOn(machine));
  for (const path of [TOP, `${IMAGES}/base.raw`]) {
    const id = machine.svirt().host.inspectFile(path)?.id;
    if (id !== undefined) registry.release({ kind: "file", key: fileKey(id), sharing: "exclusive" }, UUID);
  }
  return machine;
}
