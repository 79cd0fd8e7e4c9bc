import { describe, expect, test } from "bun:test";
import type { Instance } from "../../../../src/state/instance.ts";
import { destroyDomain } from "../../../../src/vm/end/destroy.ts";
import { getPoolFacts, getPoolXml } from "../../../../src/vm/pool/pool-facts.ts";
import { addUsage, selectPools } from "../../../../src/vm/pool/pool-list.ts";
import { destroyPool, refreshPool } from "../../../../src/vm/pool/start-pool.ts";
import { startDomain } from "../../../../src/vm/start/start.ts";
import { wipeVolume } from "../../../../src/vm/volume/content/wipe-volume.ts";
import { deleteVolume } from "../../../../src/vm/volume/delete-volume.ts";
import { hanging, machineWithBoth, Waits } from "../../../scenes/hanging-server.ts";
import { NET } from "../../../scenes/mounted-pools.ts";
import { diskXml, domainXml, errorOf, nodeOn } from "../../../scenes/scene.ts";
import { IMAGES } from "../../../scenes/volumes.ts";

test("a pool whose server hangs is inaccessible after two seconds, and runs when the server is back", async () => {
  const machine = await machineWithBoth();
  machine.mounts.silent.add(NET);
  const { node } = hanging(machine);
  const began = machine.nowMs;
  expect(await getPoolFacts(node, "net")).toMatchObject({ state: "inaccessible", space: undefined });
  expect(machine.nowMs - began).toBe(2000);
  const names = selectPools(node, { filter: {}, wantsUuids: false, types: undefined });
  expect((await addUsage(node, names)).map(({ name, state }) => [name, state])).toEqual([
    ["images", "running"],
    ["net", "inaccessible"],
  ]);
  const asked = machine.nowMs;
  expect((await getPoolXml(node, "net", "active")).xml).toContain("<capacity unit='bytes'>0</capacity>");
  expect(machine.nowMs - asked).toBe(2000);
  machine.mounts.silent.clear();
  expect((await getPoolFacts(nodeOn(machine), "net")).state).toBe("running");
});

describe("a server that hangs while its folder is mounted", () => {
  test.each([
    ["vol-delete", (node: Instance) => deleteVolume(node, { key: "private1.raw", pool: "images" })],
    ["vol-wipe", (node: Instance) => wipeVolume(node, { key: "private1.raw", pool: "images" }, "zero")],
    ["pool-refresh", (node: Instance) => refreshPool(node, "net")],
  ] as const)(
    "keeps %s waiting without the registry's lock, for which every start would wait",
    async (_, work) => {
      const { locked, node } = hanging(await machineWithBoth());
      await expect(work(node)).rejects.toThrow(Waits);
      expect(locked).toEqual([]);
    },
  );

  test("keeps neither the list, a guest elsewhere nor the end of its pool waiting", async () => {
    const machine = await machineWithBoth();
    const { node } = hanging(machine);
    expect(
      selectPools(node, { filter: {}, wantsUuids: true, types: undefined }).map(({ name }) => name),
    ).toEqual(["images", "net"]);
    await startDomain(node, domainXml({ disks: diskXml(`${IMAGES}/private1.raw`, "vda") }));
    await destroyDomain(node, "vm1");
    machine.mounts.busy.add(NET);
    expect((await errorOf(destroyPool(node, "net"))).kind).toBe("in-use");
    machine.mounts.busy.clear();
    await destroyPool(node, "net");
    expect(machine.mounts.list()).toEqual([]);
  });
});
