import { expect, test } from "bun:test";
import { defineDomain } from "../../../../src/vm/define/define.ts";
import { definePool } from "../../../../src/vm/pool/define-pool.ts";
import { buildPool, startPool } from "../../../../src/vm/pool/start-pool.ts";
import { makeScsiMachine } from "../../../scenes/devices.ts";
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
