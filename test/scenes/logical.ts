import { buildPool } from "../../src/vm/pool/build-pool.ts";
import { definePool } from "../../src/vm/pool/define-pool.ts";
import { startPool } from "../../src/vm/pool/start-pool.ts";
import { createVolumeFrom } from "../../src/vm/volume/create-volume.ts";
import { makeScsiMachine } from "./devices.ts";
import { MemoryLvm } from "./lvm.ts";
import { otherPoolXml } from "./pools.ts";
import { nodeOn } from "./scene.ts";

const MiB = 1024 * 1024;

/** A machine with the active pool `lv` of the group vg-0. */
export async function machineWith() {
  const machine = makeScsiMachine();
  const lvm = new MemoryLvm(machine, 68 * MiB);
  const node = nodeOn(machine);
  const source = "<source><device path='/dev/sdb'/><name>vg-0</name></source>";
  await definePool(node, otherPoolXml("logical", source, "lv"));
  await buildPool(node, "lv");
  await startPool(node, "lv", { isBuilt: false });
  lvm.run.length = 0;
  return { machine, lvm, node };
}

/** Returns the XML of a volume. */
export const bytesOf = (name: string, content: string) =>
  new TextEncoder().encode(`<volume><name>${name}</name>${content}</volume>`);
/** Capacity of 8 MiB. */
export const EIGHT = "<capacity unit='MiB'>8</capacity>";

/** Makes a volume of that pool. */
export async function make(node: ReturnType<typeof nodeOn>, name: string, content = EIGHT) {
  return await createVolumeFrom(node, "lv", { bytes: bytesOf(name, content), flags: {} });
}
