import { expect, test } from "bun:test";
import { defineDomain } from "../../../../src/vm/define/define.ts";
import { buildPool } from "../../../../src/vm/pool/build-pool.ts";
import { definePool } from "../../../../src/vm/pool/define-pool.ts";
import { startPool } from "../../../../src/vm/pool/start-pool.ts";
import { makeScsiMachine } from "../../../scenes/devices.ts";
import { MemoryLvm } from "../../../scenes/lvm.ts";
import { otherPoolXml } from "../../../scenes/pools.ts";
import { domainXml, errorOf, nodeOn } from "../../../scenes/scene.ts";

test("no file system is made on the disk of which a definition names a partition by another name", async () => {
  const machine = makeScsiMachine();
  const node = nodeOn(machine);
  machine.files.put("/srv/part", "symlink", { target: "/dev/sda1" });
  const disks = "<disk type='block'><source dev='/srv/part'/><target dev='vda'/></disk>";
  await defineDomain(node, domainXml({ disks }));
  const source = "<source><device path='/dev/sda'/><format type='ext4'/></source>";
  await definePool(node, otherPoolXml("fs", `${source}<target><path>/srv/fs</path></target>`));
  const formatting = "overwrite";
  for (const work of [
    () => buildPool(node, "other", { formatting }),
    () => startPool(node, "other", { isBuilt: true, formatting }),
  ])
    expect((await errorOf(work())).message).toBe(
      "Cannot build the storage pool 'other': the domain 'vm1' has the disk /dev/sda",
    );
});

test.each(["/dev/sda", "/dev/sda1", "/dev/sg0"])(
  "no volume group is made on the disk sda of which a definition names %s",
  async (path) => {
    const machine = makeScsiMachine();
    const lvm = new MemoryLvm(machine, 68 * 1024 * 1024);
    const node = nodeOn(machine);
    await definePool(
      node,
      otherPoolXml("logical", "<source><device path='/dev/sda'/><name>vg</name></source>"),
    );
    const disks = `<disk type='block'><source dev='${path}'/><target dev='vda'/></disk>`;
    await defineDomain(node, domainXml({ disks }));
    const error = await errorOf(buildPool(node, "other", { formatting: "overwrite" }));
    expect([error.kind, error.message, lvm.run]).toEqual([
      "in-use",
      "Cannot build the storage pool 'other': the domain 'vm1' has the disk /dev/sda",
      [],
    ]);
  },
);
