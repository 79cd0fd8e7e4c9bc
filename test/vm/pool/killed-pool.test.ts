import { describe, expect, test } from "bun:test";
import { poolStore } from "../../../src/state/pools/pools.ts";
import { markPool } from "../../../src/vm/pool/autostart-pool.ts";
import { buildPool } from "../../../src/vm/pool/build-pool.ts";
import { definePool, undefinePool } from "../../../src/vm/pool/define-pool.ts";
import { deletePool } from "../../../src/vm/pool/delete-pool.ts";
import { createPool, destroyPool, startPool } from "../../../src/vm/pool/start-pool.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { sampleOf } from "../../sample.ts";
import { IMAGES_UUID, poolXml } from "../../scenes/pools.ts";
import { makeMachine, nodeOn } from "../../scenes/scene.ts";
import { beStruck, instantsOf, type Work } from "../../scenes/strikes.ts";

const TARGET = "/srv/a/images";
const PERMISSIONS =
  "<mode>0750</mode><owner>107</owner><group>36</group><label>system_u:object_r:virt_image_t:s0</label>";
const XML = poolXml(TARGET, { uuid: IMAGES_UUID });
const GRANTED = poolXml(TARGET, { uuid: IMAGES_UUID, permissions: PERMISSIONS });

const define: Work = (node) => definePool(node, XML);
const grant: Work = (node) => definePool(node, GRANTED);
const build: Work = (node) => buildPool(node, "images");
const start: Work = (node) => startPool(node, "images", { isBuilt: false });
const startBuilt: Work = (node) => startPool(node, "images", { isBuilt: true });
const create: Work = (node) => createPool(node, GRANTED, { isBuilt: true });
const destroy: Work = (node) => destroyPool(node, "images");
const remove: Work = (node) => deletePool(node, "images");
const undefine: Work = (node) => undefinePool(node, "images");
const mark: Work = (node) => markPool(node, "images", true);
const unmark: Work = (node) => markPool(node, "images", false);

/** Returns a machine on which this was done. */
function after(...works: readonly Work[]): () => Promise<Machine> {
  return async () => {
    const machine = makeMachine();
    for (const work of works) await work(nodeOn(machine));
    return machine;
  };
}

const CASES = [
  { name: "pool-define", prepare: after(), work: define },
  { name: "pool-define of another text", prepare: after(define), work: grant },
  { name: "pool-build", prepare: after(define), work: build },
  { name: "pool-build with permissions", prepare: after(grant), work: build },
  { name: "pool-start", prepare: after(define, build), work: start },
  { name: "pool-start --build", prepare: after(grant), work: startBuilt },
  { name: "pool-create --build", prepare: after(), work: create },
  { name: "pool-destroy", prepare: after(define, build, start), work: destroy },
  { name: "pool-destroy of a transient pool", prepare: after(create), work: destroy },
  { name: "pool-delete", prepare: after(define, build), work: remove },
  { name: "pool-undefine", prepare: after(define), work: undefine },
  { name: "pool-autostart", prepare: after(define), work: mark },
  { name: "pool-autostart --disable", prepare: after(define, mark), work: unmark },
] as const;

/** Returns all that commands show of pools, and the folders. */
function stateOf(machine: Machine): string {
  const node = nodeOn(machine);
  const folders = ["/srv/a", TARGET].map((path) => {
    const inode = machine.files.find(path)?.inode;
    return inode && [inode.mode, inode.uid, inode.gid, inode.xattrs.get("security.selinux")];
  });
  return JSON.stringify([poolStore.listEntries(node), poolStore.read(node, "images"), folders]);
}

/** Refusals of a repetition whose work was done. */
const DONE = /already active|is not active|no storage pool with matching name|No such file or directory/;

describe.each(CASES)("$name struck before, within and after every call that changes something", (subject) => {
  test.each(["crash", "fail"] as const)("by a %s is completed when it is repeated", async (how) => {
    const before = stateOf(await subject.prepare());
    const whole = await subject.prepare();
    await subject.work(nodeOn(whole));
    const done = stateOf(whole);
    const instants = await instantsOf(subject.prepare, subject.work);
    expect([instants.length > 3, before === done]).toEqual([true, false]);
    for (const strike of sampleOf(instants)) {
      const machine = await subject.prepare();
      await beStruck(machine, subject.work, { ...strike, how });
      const place = `${strike.moment} call ${strike.at}`;
      await subject.work(nodeOn(machine)).catch((error: unknown) => {
        expect([place, String(error)]).toEqual([place, expect.stringMatching(DONE)]);
      });
      expect([place, stateOf(machine)]).toEqual([place, done]);
      expect([place, machine.violations]).toEqual([place, []]);
    }
  });
});
