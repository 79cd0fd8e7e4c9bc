import { expect, test } from "bun:test";
import { notePool } from "../../../src/state/pools/pool-notes.ts";
import { poolStore } from "../../../src/state/pools/pools.ts";
import { buildPool } from "../../../src/vm/pool/build-pool.ts";
import { definePool, undefinePool } from "../../../src/vm/pool/define-pool.ts";
import { deletePool } from "../../../src/vm/pool/delete-pool.ts";
import { createPool, destroyPool, refreshPool, startPool } from "../../../src/vm/pool/start-pool.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { IMAGES_UUID, poolXml } from "../../scenes/pools.ts";
import { makeMachine, nodeOn, OTHER } from "../../scenes/scene.ts";
import { beStruck, instantsOf, type Work } from "../../scenes/strikes.ts";

const XML = poolXml(undefined, { uuid: IMAGES_UUID });
const start: Work = (node) => startPool(node, "images", { isBuilt: false });

/** Returns the pools of which notes remain, each once. */
function noted(machine: Machine): string[] {
  const files = machine.svirt().host.listFolder("/run/svirt/pool-notes");
  return [...new Set(files.map((file) => file.slice(0, file.indexOf("."))))];
}

/** Returns a machine with a pool that was built, started and refreshed. */
async function afterWork(...ends: readonly Work[]): Promise<Machine> {
  const machine = makeMachine();
  await definePool(nodeOn(machine), XML);
  await buildPool(nodeOn(machine), "images");
  await start(nodeOn(machine));
  await refreshPool(nodeOn(machine), "images");
  for (const end of ends) await end(nodeOn(machine));
  return machine;
}

const destroy: Work = (node) => destroyPool(node, "images");
const undefine: Work = (node) => undefinePool(node, "images");

async function transient(): Promise<Machine> {
  const machine = makeMachine();
  await createPool(nodeOn(machine), XML, { isBuilt: true });
  await refreshPool(nodeOn(machine), "images");
  return machine;
}

test("notes of a pool stay with it, and go with its definition", async () => {
  const machine = await afterWork(destroy);
  await deletePool(nodeOn(machine), "images");
  expect(noted(machine)).toEqual([IMAGES_UUID]);
  await undefine(nodeOn(machine));
  expect(noted(machine)).toEqual([]);
});

test("notes of a pool without a definition go with its end", async () => {
  const machine = await transient();
  expect(noted(machine)).toEqual([IMAGES_UUID]);
  await destroy(nodeOn(machine));
  expect(noted(machine)).toEqual([]);
});

test.each<[string, () => Promise<Machine>, Work]>([
  ["pool-undefine", () => afterWork(destroy), undefine],
  ["pool-destroy of a transient pool", transient, destroy],
])("%s, killed anywhere, leaves no note of a pool that is gone", async (_, prepare, work) => {
  const instants = await instantsOf(prepare, work);
  expect(instants.length).toBeGreaterThan(5);
  for (const strike of instants) {
    const machine = await prepare();
    await beStruck(machine, work, strike);
    const isGone = poolStore.read(nodeOn(machine), "images") === undefined;
    expect([strike, isGone && noted(machine).length > 0]).toEqual([strike, false]);
  }
});

test("the end of a pool removes what an older svirt has left of others, and work that ends after its pool notes nothing", async () => {
  const machine = await afterWork(destroy);
  for (const file of [`${OTHER}.created`, `${OTHER}.refreshed.new`])
    machine.files.put(`/run/svirt/pool-notes/${file}`, "file");
  await undefine(nodeOn(machine));
  notePool(nodeOn(machine), { name: "images", uuid: IMAGES_UUID }, "deleted");
  expect(noted(machine)).toEqual([]);
});
