import { describe, expect, test } from "bun:test";
import { buildPool } from "../../../src/vm/pool/build-pool.ts";
import { definePool } from "../../../src/vm/pool/define-pool.ts";
import { deletePool } from "../../../src/vm/pool/delete-pool.ts";
import { getPoolFacts } from "../../../src/vm/pool/pool-facts.ts";
import { startPool } from "../../../src/vm/pool/start-pool.ts";
import { makeScsiMachine } from "../../scenes/devices.ts";
import { MemoryLvm } from "../../scenes/lvm.ts";
import { otherPoolXml } from "../../scenes/pools.ts";
import { nodeOn } from "../../scenes/scene.ts";

const MiB = 1024 * 1024;
const START = "vgchange -aly vg";
const SOURCE = "<source><device path='/dev/sdb'/><name>vg</name></source>";

/** A machine with the inactive pool `other` of the group vg, whose LVM takes a while for each command. */
async function slowMachine(volumes: readonly string[]) {
  const machine = makeScsiMachine();
  const lvm = new MemoryLvm(machine, 68 * MiB);
  await definePool(nodeOn(machine), otherPoolXml("logical", SOURCE));
  await buildPool(nodeOn(machine), "other");
  for (const name of volumes) lvm.addVolume("vg", { name, sizeBytes: 8 * MiB });
  lvm.run.splice(0);
  const { runProgram } = machine;
  machine.runProgram = async (...call) => {
    // Until then the other call has looked.
    await Bun.sleep(10);
    return await runProgram(...call);
  };
  return { lvm, machine };
}

describe("two calls about a volume group at once", () => {
  test("keep its volumes active if both start it, of which one must fail", async () => {
    const { lvm, machine } = await slowMachine(["one"]);
    const starts = [1, 2].map(() => startPool(nodeOn(machine), "other", { isBuilt: false }));
    const ends = (await Promise.allSettled(starts)).map(({ status }) => status);
    expect(ends.toSorted()).toEqual(["fulfilled", "rejected"]);
    expect([lvm.run, (await getPoolFacts(nodeOn(machine), "other")).state]).toEqual([[START], "running"]);
  });

  test("remove no group that the other call starts", async () => {
    const { lvm, machine } = await slowMachine([]);
    const start = startPool(nodeOn(machine), "other", { isBuilt: false });
    const removal = deletePool(nodeOn(machine), "other");
    const ends = (await Promise.allSettled([start, removal])).map(({ status }) => status);
    expect([ends, [...lvm.groups.keys()]]).toEqual([["fulfilled", "rejected"], ["vg"]]);
  });
});
