import { describe, expect, test } from "bun:test";
import { definePool } from "../../../src/vm/pool/define-pool.ts";
import { getPoolFacts, getPoolXml } from "../../../src/vm/pool/pool-facts.ts";
import { startPool } from "../../../src/vm/pool/start-pool.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { poolXml, TARGET } from "../../scenes/pools.ts";
import { makeMachine, nodeOn } from "../../scenes/scene.ts";

const IMAGES = "system_u:object_r:virt_image_t:s0";
const LABEL = "security.selinux";

async function machineWith(permissions = ""): Promise<Machine> {
  const machine = makeMachine();
  await definePool(nodeOn(machine), poolXml(TARGET, { permissions }));
  return machine;
}

describe("a pool's facts", () => {
  // virStorageBackendRefreshLocal() of libvirt: capacity by f_blocks, available by f_bfree.
  test("are its state, and its space now while it runs", async () => {
    const machine = await machineWith();
    const node = nodeOn(machine);
    expect(await getPoolFacts(node, "images")).toMatchObject({
      state: "inactive",
      space: undefined,
      persistent: true,
    });
    await startPool(node, "images", { isBuilt: true });
    machine.space = { sizeBytes: 1000, freeBytes: 400 };
    const space = { capacityBytes: 1000, allocationBytes: 600, availableBytes: 400 };
    expect(await getPoolFacts(node, "images")).toMatchObject({ state: "running", space });
    const { xml } = await getPoolXml(node, "images", "active");
    expect(xml).toContain("<allocation unit='bytes'>600</allocation>");
    expect((await getPoolXml(node, "images", "defined")).xml).toContain(
      "<allocation unit='bytes'>0</allocation>",
    );
    machine.files.remove(TARGET);
    expect(await getPoolFacts(node, "images")).toMatchObject({ state: "inaccessible", space: undefined });
    machine.files.put(TARGET, "symlink", { target: "/etc" });
    expect((await getPoolFacts(node, "images")).state).toBe("inaccessible");
  });
});

describe("getPoolXml()", () => {
  // virStorageBackendRefreshLocal() of libvirt: st_mode & S_IRWXUGO, st_uid, st_gid, and the label if there
  // is one.
  test("reports the permissions of an active pool's folder as they are now, and of its definition as they are written", async () => {
    const machine = await machineWith("<mode>0700</mode>");
    const node = nodeOn(machine);
    await startPool(node, "images", { isBuilt: true });
    const folder = machine.files.get(TARGET);
    Object.assign(folder, { mode: 0o2750, uid: 107, gid: 36 });
    folder.xattrs.set(LABEL, IMAGES);
    const now =
      "    <permissions>\n      <mode>0750</mode>\n      <owner>107</owner>\n      <group>36</group>\n" +
      `      <label>${IMAGES}</label>\n    </permissions>\n`;
    expect((await getPoolXml(node, "images", "active")).xml).toContain(now);
    expect((await getPoolXml(node, "images", "defined")).xml).toContain(
      "    <permissions>\n      <mode>0700</mode>\n    </permissions>\n",
    );
    folder.xattrs.delete(LABEL);
    expect((await getPoolXml(node, "images", "active")).xml).toContain("</group>\n    </permissions>");
    machine.files.remove(TARGET);
    expect((await getPoolXml(node, "images", "active")).xml).toContain(
      "<mode>0700</mode>\n    </permissions>",
    );
  });
});
