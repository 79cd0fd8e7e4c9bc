import { describe, expect, test } from "bun:test";
import { listErrors, SvirtError } from "../../../src/errors.ts";
import { registryLock, SYSTEM_PATHS } from "../../../src/plan/paths.ts";
import type { Instance } from "../../../src/state/instance.ts";
import { carryOut } from "../../../src/vm/object-change/carry-out.ts";
import { buildPool } from "../../../src/vm/pool/build-pool.ts";
import { definePool, editPool } from "../../../src/vm/pool/define-pool.ts";
import { deletePool } from "../../../src/vm/pool/delete-pool.ts";
import { createPool, destroyPool, refreshPool, startPool } from "../../../src/vm/pool/start-pool.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { poolXml, TARGET } from "../../scenes/pools.ts";
import { errorOf, makeMachine, nodeOn } from "../../scenes/scene.ts";

const GRANTED = poolXml(TARGET, { permissions: "<mode>0700</mode>" });

/** Returns a machine with a pool that was built. */
async function machineWith(): Promise<Machine> {
  const machine = makeMachine();
  await definePool(nodeOn(machine), poolXml());
  await buildPool(nodeOn(machine), "images");
  return machine;
}

/** Returns the instance with another call of the host. */
function withCalls(node: Instance, calls: Partial<Instance["host"]>): Instance {
  return { ...node, host: { ...node.host, ...calls } };
}

describe("while the target's file system hangs, other commands get the registry's lock: it is not held by", () => {
  const works: readonly (readonly [string, (node: Instance) => Promise<unknown>])[] = [
    ["definePool()", (node) => definePool(node, poolXml())],
    ["editPool()", (node) => editPool(node, "images", (change) => carryOut(node, change))],
    ["startPool()", (node) => startPool(node, "images", { isBuilt: false })],
    ["startPool() with a build", (node) => startPool(node, "images", { isBuilt: true })],
    ["createPool()", (node) => createPool(node, poolXml(), { isBuilt: true })],
    ["buildPool()", (node) => buildPool(node, "images")],
    ["deletePool()", (node) => deletePool(node, "images")],
    ["refreshPool()", (node) => refreshPool(node, "images")],
  ];
  test.each(works)("%s", async (name, work) => {
    const machine = await machineWith();
    machine.edit = (text) => text.replace("</path>", "</path><permissions><mode>0700</mode></permissions>");
    if (name === "refreshPool()") await startPool(nodeOn(machine), "images", { isBuilt: false });
    const node = nodeOn(machine);
    let isLocked: boolean | undefined;
    const hanging = withCalls(node, {
      inspectFile(path) {
        if (path !== TARGET) return node.host.inspectFile(path);
        isLocked ??= machine.locks.has(registryLock(SYSTEM_PATHS));
        throw new Error(path);
      },
    });
    await expect(work(hanging)).rejects.toThrow();
    expect(isLocked).toBe(false);
  });

  test("destroyPool(), which does not look at the target", async () => {
    const machine = await machineWith();
    await startPool(nodeOn(machine), "images", { isBuilt: false });
    const hanging = withCalls(nodeOn(machine), {
      inspectFile(path) {
        if (path.startsWith(TARGET)) throw new Error(path);
        return undefined;
      },
    });
    expect(await destroyPool(hanging, "images")).toMatchObject({ name: "images" });
  });
});

test("refreshPool() reports the target, too, when the pool cannot be made inactive", async () => {
  const machine = await machineWith();
  await startPool(nodeOn(machine), "images", { isBuilt: false });
  machine.files.remove(TARGET);
  const stuck = withCalls(nodeOn(machine), {
    removeFile(path) {
      throw new SvirtError(`Cannot remove ${path}: EROFS`, { kind: "host-call", remedy: "Mount it." });
    },
  });
  const messages = await refreshPool(stuck, "images").catch((error: unknown) =>
    listErrors(error).map(({ message }) => message),
  );
  expect(messages).toEqual([
    `cannot open directory '${TARGET}': No such file or directory`,
    "Cannot remove /run/svirt/storage/images.xml: EROFS",
  ]);
});

describe("a definition that changes before the registry's lock is taken", () => {
  test.each([
    ["another target", poolXml("/srv/other")],
    ["permissions", GRANTED],
  ])("gives no folder %s that no guest was looked for", async (_, changed) => {
    for (const work of [
      (node: Instance) => buildPool(node, "images"),
      (node: Instance) => startPool(node, "images", { isBuilt: true }),
    ]) {
      const machine = await machineWith();
      const node = nodeOn(machine);
      const late = withCalls(node, {
        async lock(path, timeoutMs) {
          await definePool(nodeOn(machine), changed);
          return await node.host.lock(path, timeoutMs);
        },
      });
      const { kind, message } = await errorOf(work(late));
      expect([kind, message]).toEqual(["wrong-state", expect.stringContaining("was changed meanwhile")]);
      expect([machine.files.get(TARGET).mode, machine.files.find("/srv/other")]).toEqual([0o711, undefined]);
    }
  });
});
