import { describe, expect, test } from "bun:test";
import type { Instance } from "../../../../src/state/instance.ts";
import { definePool } from "../../../../src/vm/pool/define-pool.ts";
import { getPoolFacts } from "../../../../src/vm/pool/pool-facts.ts";
import { startPool } from "../../../../src/vm/pool/start-pool.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import { makeStorageMachine, netXml } from "../../../scenes/mounted-pools.ts";
import { errorOf, nodeOn } from "../../../scenes/scene.ts";

/** Returns an instance on which another command defines the pool anew while its server is asked. */
function changing(machine: Machine, xml: Uint8Array): Instance {
  const node = nodeOn(machine);
  const host: Instance["host"] = {
    ...node.host,
    async openMount(order) {
      await definePool(nodeOn(machine), xml);
      return await node.host.openMount(order);
    },
  };
  return { ...node, host };
}

function edited(from: string, to: string): Uint8Array {
  return new TextEncoder().encode(new TextDecoder().decode(netXml()).replace(from, () => to));
}

describe("startPool() of a pool that is defined anew while its server is asked", () => {
  test.each([
    ["another folder of the server", edited("/images", "/other")],
    ["another server", edited("files.example", "other.example")],
    ["a folder of the host", edited("type='netfs'", "type='dir'")],
    ["an option of the mount", netXml({ options: ["ro"] })],
    ["a label", netXml({ label: "system_u:object_r:virt_image_t:s0" })],
  ])("mounts nothing that is not in its XML: %s", async (_, xml) => {
    const machine = makeStorageMachine();
    await definePool(nodeOn(machine), netXml());
    const { kind, message } = await errorOf(startPool(changing(machine, xml), "net", { isBuilt: false }));
    expect([kind, message]).toEqual([
      "wrong-state",
      "Requested operation is not valid: the definition of storage pool 'net' was changed meanwhile",
    ]);
    expect([machine.mounts.list(), (await getPoolFacts(nodeOn(machine), "net")).state]).toEqual([
      [],
      "inactive",
    ]);
  });
});
