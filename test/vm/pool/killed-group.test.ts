import { describe, expect, test } from "bun:test";
import { buildPool } from "../../../src/vm/pool/build-pool.ts";
import { definePool } from "../../../src/vm/pool/define-pool.ts";
import { deletePool } from "../../../src/vm/pool/delete-pool.ts";
import { getPoolFacts } from "../../../src/vm/pool/pool-facts.ts";
import { destroyPool, startPool } from "../../../src/vm/pool/start-pool.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { sampleOf } from "../../sample.ts";
import { makeScsiMachine } from "../../scenes/devices.ts";
import { MemoryLvm } from "../../scenes/lvm.ts";
import { otherPoolXml } from "../../scenes/pools.ts";
import { nodeOn } from "../../scenes/scene.ts";
import { beStruck, instantsOf, type Work } from "../../scenes/strikes.ts";

const MiB = 1024 * 1024;
const SOURCE = "<source><device path='/dev/sdb'/><name>vg</name></source>";

/** A machine with the pool `other` of the group vg on sdb, which is to be built. */
async function machineWith() {
  const machine = makeScsiMachine();
  const lvm = new MemoryLvm(machine, 68 * MiB);
  await definePool(nodeOn(machine), otherPoolXml("logical", SOURCE));
  return { machine, lvm, node: nodeOn(machine) };
}

describe("work on a group struck before, within and after every call that changes something", () => {
  const works: Readonly<Record<string, Work>> = {
    "pool-build": (node) => buildPool(node, "other"),
    "pool-start": (node) => startPool(node, "other", { isBuilt: false }),
    "pool-destroy": (node) => destroyPool(node, "other"),
    "pool-delete": (node) => deletePool(node, "other"),
  };

  test.each(Object.keys(works))("is completed when %s is repeated", async (name) => {
    const lvms: MemoryLvm[] = [];
    const work: Work = works[name] ?? (() => Promise.reject(new Error("unknown work")));
    const prepare = async () => {
      const { lvm, machine, node } = await machineWith();
      lvms.push(lvm);
      for (const [before, done] of Object.entries(works)) {
        if (before === name) break;
        await done(node);
      }
      return machine;
    };
    const stateOf = async (machine: Machine): Promise<string> => {
      const lvm = lvms.at(-1);
      const { state } = await getPoolFacts(nodeOn(machine), "other");
      return JSON.stringify([[...(lvm?.groups.keys() ?? [])], [...(lvm?.physical ?? [])], state]);
    };
    const whole = await prepare();
    await work(nodeOn(whole));
    const expected = await stateOf(whole);
    const instants = await instantsOf(prepare, work);
    expect(instants.length).toBeGreaterThan(3);
    for (const strike of sampleOf(instants)) {
      const machine = await prepare();
      await beStruck(machine, work, strike);
      await work(nodeOn(machine)).catch((error: unknown) => {
        expect(String(error)).toMatch(/exists already|already active|is not active|cannot find logical/);
      });
      expect([strike, await stateOf(machine)]).toEqual([strike, expected]);
    }
  });
});
