import { describe, expect, test } from "bun:test";
import { poolStore } from "../../../../src/state/pools/pools.ts";
import { auditNode } from "../../../../src/vm/audit/audit-node.ts";
import { definePool } from "../../../../src/vm/pool/define-pool.ts";
import { getPoolFacts } from "../../../../src/vm/pool/pool-facts.ts";
import { createPool, destroyPool, refreshPool, startPool } from "../../../../src/vm/pool/start-pool.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import { diskXml, EXPORT, makeStorageMachine, NET, netXml } from "../../../scenes/mounted-pools.ts";
import { errorOf, nodeOn } from "../../../scenes/scene.ts";
import { beStruck, instantsOf, type Work } from "../../../scenes/strikes.ts";

const start: Work = (node) => startPool(node, "net", { isBuilt: false });
const build: Work = (node) => startPool(node, "net", { isBuilt: true });
const create: Work = (node) => createPool(node, netXml(), { isBuilt: false });
const destroy: Work = (node) => destroyPool(node, "net");
const define: Work = (node) => definePool(node, netXml());
const defineDisk: Work = (node) => definePool(node, diskXml());
const startDisk: Work = (node) => startPool(node, "disk", { isBuilt: false });

/** Returns a machine on which this was done. */
function after(...works: readonly Work[]): () => Promise<Machine> {
  return async () => {
    const machine = makeStorageMachine();
    for (const work of works) await work(nodeOn(machine));
    return machine;
  };
}

const CASES = [
  { name: "pool-start of a server's folder", prepare: after(define), work: start },
  { name: "pool-start --build", prepare: after(define), work: build },
  { name: "pool-start of a device", prepare: after(defineDisk), work: startDisk },
  { name: "pool-create", prepare: after(), work: create },
  { name: "pool-destroy", prepare: after(define, start), work: destroy },
  { name: "pool-destroy of a transient pool", prepare: after(create), work: destroy },
] as const;

/** Returns what commands show of the pools, and the mounts. */
async function stateOf(machine: Machine): Promise<string> {
  const node = nodeOn(machine);
  const pools = await Promise.all(
    poolStore
      .listEntries(node)
      .map(async ({ name }) => [(await getPoolFacts(node, name)).state, poolStore.read(node, name)]),
  );
  return JSON.stringify([pools, machine.mounts.list().map(({ path, source }) => [path, source])]);
}

/** Refusals of a repetition whose work was done. */
const DONE = /already active|is not active|no storage pool with matching name/;

describe.each(CASES)("$name struck before, within and after every call that changes something", (subject) => {
  test.each(["crash", "fail"] as const)("by a %s is completed when it is repeated", async (how) => {
    const before = await stateOf(await subject.prepare());
    const whole = await subject.prepare();
    await subject.work(nodeOn(whole));
    const done = await stateOf(whole);
    const instants = await instantsOf(subject.prepare, subject.work);
    expect([instants.length > 3, before === done]).toEqual([true, false]);
    for (const strike of instants) {
      const machine = await subject.prepare();
      await beStruck(machine, subject.work, { ...strike, how });
      const place = `${how} ${strike.moment} call ${strike.at}`;
      expect([place, mountsWithoutRecord(machine)]).toEqual([place, []]);
      const { findings } = await auditNode(nodeOn(machine));
      expect([place, isHalfDone(machine)]).toEqual([place, findings.length > 0]);
      await subject.work(nodeOn(machine)).catch((error: unknown) => {
        expect([place, String(error)]).toEqual([place, expect.stringMatching(DONE)]);
      });
      expect([place, await stateOf(machine), machine.violations]).toEqual([place, done, []]);
    }
  });
});

/**
 * Whether a part of a text, the record of a change, the note of a build without its pool, or an active pool
 * without its mount is left.
 */
function isHalfDone(machine: Machine): boolean {
  const has = (files: RegExp): boolean => [...machine.files.walk()].some(({ path }) => files.test(path));
  const active = poolStore.listEntries(nodeOn(machine)).filter(({ isActive }) => isActive);
  return (
    has(/^\/(?:etc|run)\/svirt\/.*\.(?:new|json)$/) ||
    (active.length === 0 && has(/^\/var\/lib\/svirt\/unfinished\/.*\.json$/)) ||
    active.length > machine.mounts.list().length
  );
}

/** Lists the mounts of which no active pool is recorded, which no command would unmount. */
function mountsWithoutRecord(machine: Machine): readonly string[] {
  const active = poolStore.list(nodeOn(machine)).map((stored) => stored.active ?? "");
  return machine.mounts
    .list()
    .map(({ path }) => path)
    .filter((path) => !active.some((xml) => xml.includes(`<path>${path}</path>`)));
}

describe("a pool that was unmounted by hand", () => {
  test("is inaccessible, becomes inactive when it is refreshed, and is mounted again by a start", async () => {
    const machine = await after(define, start)();
    machine.mounts.detach(NET);
    const node = nodeOn(machine);
    expect((await getPoolFacts(node, "net")).state).toBe("inaccessible");
    const { kind, message } = await errorOf(refreshPool(node, "net"));
    expect([kind, message]).toEqual([
      "wrong-state",
      `Requested operation is not valid: storage pool 'net' is not mounted at ${NET}`,
    ]);
    expect((await getPoolFacts(node, "net")).state).toBe("inactive");
    await start(node);
    expect(machine.mounts.list().map(({ source }) => source)).toEqual([EXPORT]);
  });

  test("is mounted again by a start while it is active, and made inactive by its end", async () => {
    const machine = await after(define, start)();
    machine.mounts.detach(NET);
    await start(nodeOn(machine));
    expect((await getPoolFacts(nodeOn(machine), "net")).state).toBe("running");
    machine.mounts.detach(NET);
    await destroy(nodeOn(machine));
    expect((await getPoolFacts(nodeOn(machine), "net")).state).toBe("inactive");
  });

  test("is inactive after a reboot, and starts", async () => {
    const machine = await after(define, start)();
    machine.reboot();
    expect([(await getPoolFacts(nodeOn(machine), "net")).state, machine.mounts.list()]).toEqual([
      "inactive",
      [],
    ]);
    await start(nodeOn(machine));
  });
});
