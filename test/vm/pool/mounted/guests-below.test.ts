import { describe, expect, test } from "bun:test";
import { readRecords, writeRecord } from "../../../../src/state/record.ts";
import { destroyDomain } from "../../../../src/vm/end/destroy.ts";
import { definePool } from "../../../../src/vm/pool/define-pool.ts";
import { getPoolFacts } from "../../../../src/vm/pool/pool-facts.ts";
import { destroyPool, startPool } from "../../../../src/vm/pool/start-pool.ts";
import { recoverAll } from "../../../../src/vm/recover/recover.ts";
import { startDomain } from "../../../../src/vm/start/start.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import { DISK, diskXml as diskPool, makeStorageMachine } from "../../../scenes/mounted-pools.ts";
import { diskXml, domainXml, errorOf, labelOf, nodeOn, ORIGINAL } from "../../../scenes/scene.ts";

const NOT_BUILT = { isBuilt: false };
const IMAGE = `${DISK}/deep/a.img`;

/** Returns a machine with an image, labelled as those of a host, in a folder of the pool's target. */
function withImage(machine: Machine): void {
  machine.files.putFolder(`${DISK}/deep`, 0o755);
  const type = "system_u:object_r:virt_image_t:s0";
  machine.files.get(`${DISK}/deep`).xattrs.set("security.selinux", type);
  const file = machine.files.put(IMAGE, "file", { bytes: new Uint8Array(512) });
  file.xattrs.set("security.selinux", ORIGINAL);
}

describe("a pool's mount and a guest's file", () => {
  test("are kept apart: nothing is mounted over a file that a guest has, whose label would stay", async () => {
    const machine = makeStorageMachine();
    withImage(machine);
    const node = nodeOn(machine);
    await definePool(node, diskPool());
    await startDomain(node, domainXml({ disks: diskXml(IMAGE, "vda") }));
    const { kind, message } = await errorOf(startPool(node, "disk", NOT_BUILT));
    expect([kind, message]).toEqual([
      "in-use",
      `Cannot mount at ${DISK}: the guest vm1 uses a file or folder there`,
    ]);
    await destroyDomain(node, "vm1");
    expect(labelOf(machine, IMAGE)).toBe(ORIGINAL);
    await startPool(node, "disk", NOT_BUILT);
  });

  test("are kept apart: nothing is mounted in a folder that a guest shares", async () => {
    const machine = makeStorageMachine();
    const node = nodeOn(machine);
    await definePool(node, diskPool());
    await startDomain(node, domainXml());
    const id = node.host.inspectFile("/srv")?.id;
    for (const guest of readRecords(node)) {
      if (id === undefined) throw new Error("no /srv");
      const claim = { kind: "file", key: "inode-0:0-1", sharing: "shared" } as const;
      const step = { do: "share-tree", folder: id, claim, uid: 1, access: "read-write" } as const;
      writeRecord(node, { ...guest, steps: [...guest.steps, step] });
    }
    expect((await errorOf(startPool(node, "disk", NOT_BUILT))).kind).toBe("in-use");
    expect(machine.mounts.list()).toEqual([]);
  });

  test("stay together while a guest claims the file that no process has open", async () => {
    const machine = makeStorageMachine();
    const node = nodeOn(machine);
    await definePool(node, diskPool());
    await startPool(node, "disk", NOT_BUILT);
    withImage(machine);
    await startDomain(node, domainXml({ disks: diskXml(IMAGE, "vda") }));
    // Nothing is busy, as after the end of QEMU and before that of the guest's record.
    const { kind, message, remedy } = await errorOf(destroyPool(node, "disk"));
    expect([kind, message]).toEqual([
      "in-use",
      `Cannot unmount ${DISK}: the guest vm1 uses a volume of the storage pool 'disk'`,
    ]);
    expect(remedy).toContain("svirt recover");
    expect((await getPoolFacts(node, "disk")).state).toBe("running");
    await destroyDomain(node, "vm1");
    await recoverAll(node);
    expect(labelOf(machine, IMAGE)).toBe(ORIGINAL);
    await destroyPool(node, "disk");
    expect(machine.mounts.list()).toEqual([]);
  });
});
