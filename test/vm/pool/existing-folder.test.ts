import { describe, expect, test } from "bun:test";
import { asSvirtError } from "../../../src/errors.ts";
import { fileKey } from "../../../src/plan/facts/file-key.ts";
import { registryOf } from "../../../src/state/instance.ts";
import { buildPool } from "../../../src/vm/pool/build-pool.ts";
import { definePool } from "../../../src/vm/pool/define-pool.ts";
import { deletePool } from "../../../src/vm/pool/delete-pool.ts";
import { getPoolXml } from "../../../src/vm/pool/pool-facts.ts";
import { destroyPool, startPool } from "../../../src/vm/pool/start-pool.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { poolXml, TARGET } from "../../scenes/pools.ts";
import { errorOf, makeMachine, nodeOn, OTHER } from "../../scenes/scene.ts";

const NOT_BUILT = { isBuilt: false };
const IMAGES = "system_u:object_r:virt_image_t:s0";
const LABEL = "security.selinux";

async function machineWith(permissions = ""): Promise<Machine> {
  const machine = makeMachine();
  await definePool(nodeOn(machine), poolXml(TARGET, { permissions }));
  return machine;
}

describe("buildPool() of a folder that exists", () => {
  test("keeps the sticky and the set-group-ID bit of a folder, which the XML cannot have", async () => {
    for (const bits of [0o1000, 0o2000]) {
      const machine = await machineWith("<mode>0777</mode>");
      const folder = machine.files.putFolder(TARGET, bits | 0o755);
      await buildPool(nodeOn(machine), "images");
      expect(folder.mode).toBe(bits | 0o777);
    }
  });

  test("with the XML of the active pool changes nothing, so the holder of a key may do it", async () => {
    const machine = await machineWith();
    machine.files.putFolder(TARGET, 0o1777).xattrs.set(LABEL, IMAGES);
    await startPool(nodeOn(machine), "images", NOT_BUILT);
    const { xml } = await getPoolXml(nodeOn(machine), "images", "active");
    await destroyPool(nodeOn(machine), "images");
    await definePool(nodeOn(machine), new TextEncoder().encode(xml));
    await buildPool({ ...nodeOn(machine), isForKey: true as const }, "images");
    const { mode, xattrs } = machine.files.get(TARGET);
    expect([mode, xattrs.get(LABEL)]).toEqual([0o1777, IMAGES]);
  });
});

describe("deletePool()", () => {
  test("removes no folder that a guest uses", async () => {
    const machine = await machineWith();
    const node = nodeOn(machine);
    machine.files.putFolder(TARGET, 0o711);
    const id = node.host.inspectFile(TARGET)?.id;
    const key = id === undefined ? "" : fileKey(id);
    const claim = { kind: "file", key, sharing: "exclusive" } as const;
    registryOf(node).reserve(claim, OTHER);
    const { kind, message } = await errorOf(deletePool(node, "images"));
    expect([kind, message]).toEqual(["in-use", expect.stringContaining(`failed to remove pool '${TARGET}'`)]);
    expect(machine.files.find(TARGET)).toBeDefined();
    registryOf(node).release(claim, OTHER);
    await deletePool(node, "images");
    expect(machine.files.find(TARGET)).toBeUndefined();
  });

  test.each([
    ["/srv", 0o711, "denied"],
    ["/var/lib/libvirt/images", 0o711, "denied"],
    ["/mnt/backup", 0o755, "denied"],
    ["/mnt/backup", 0o1711, "denied"],
    ["/mnt/made", 0o711, "deleted"],
  ])(
    "of a restricted key removes only a folder such as pool-build makes: %s of mode %o",
    async (path, mode, end) => {
      const machine = makeMachine();
      machine.files.putFolder(path, mode).xattrs.set(LABEL, IMAGES);
      machine.files.get(path).mode = mode;
      const node = { ...nodeOn(machine), isForKey: true as const };
      await definePool(node, poolXml(path));
      const done = await deletePool(node, "images").then(
        () => "deleted",
        (error) => asSvirtError(error).kind as string,
      );
      expect([done, machine.files.find(path) === undefined]).toEqual([end, end === "deleted"]);
      if (end === "denied") await deletePool(nodeOn(machine), "images");
      expect(machine.files.find(path)).toBeUndefined();
    },
  );
});
