import { describe, expect, test } from "bun:test";
import { definePool } from "../../../../src/vm/pool/define-pool.ts";
import { getPoolFacts } from "../../../../src/vm/pool/pool-facts.ts";
import { destroyPool, startPool } from "../../../../src/vm/pool/start-pool.ts";
import { EXPORT, makeStorageMachine, NET, netXml } from "../../../scenes/mounted-pools.ts";
import { nodeOn } from "../../../scenes/scene.ts";

describe("a user's mount with the name of a pool's source", () => {
  test.each(["fuse", "fuse.sshfs"])("of type %s is not the pool's", async (type) => {
    const machine = makeStorageMachine();
    const node = nodeOn(machine);
    await definePool(node, netXml());
    await startPool(node, "net", { isBuilt: false });
    machine.mounts.detach(NET);
    const users = machine.mounts.add(
      EXPORT,
      { device: "0:70", keepsLabels: true },
      "system_u:object_r:virt_image_t:s0",
    );
    const attempts = [{ type, options: [] }];
    machine.mounts.attach(NET, users, { source: EXPORT, server: undefined, attempts, flags: [] });
    expect((await getPoolFacts(node, "net")).state).toBe("inaccessible");
    await destroyPool(node, "net");
    expect(machine.mounts.list().map((mount) => mount.type)).toEqual([type]);
  });
});
