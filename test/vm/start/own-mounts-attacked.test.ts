import { describe, expect, test } from "bun:test";
import { readRecord } from "../../../src/state/record.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { EXPORT, LABELS, makeSharedStorage, NET, OWN_DISKS } from "../../scenes/mounted-pools.ts";
import { diskXml, domainXml, errorOf, nodeOn, OTHER, UUID } from "../../scenes/scene.ts";

const [DISK] = OWN_DISKS;
const one = domainXml({ disks: diskXml(DISK, "vda") });

function mountPointsOf(machine: Machine): readonly string[] {
  return machine.mounts.list().map(({ path }) => path);
}

function putContent(machine: Machine, path: string): void {
  const folder = machine.files.putFolder(path.slice(0, path.lastIndexOf("/")));
  const file = machine.files.put(path, "file", { bytes: new Uint8Array(512) });
  for (const made of [folder, file]) made.xattrs.set("security.selinux", LABELS.content);
}

describe("a folder that is mounted for one guest", () => {
  test("has no folder of another guest in it, also while the server has not answered yet", async () => {
    const machine = await makeSharedStorage();
    const inner = `${NET}/one/inner/disk.img`;
    putContent(machine, inner);
    const node = nodeOn(machine);
    const { openMount } = node.host;
    const nested = domainXml({ name: "vm2", uuid: OTHER, disks: diskXml(inner, "vda") });
    node.host.openMount = async (order) => {
      const { kind, message } = await errorOf(startDomain(nodeOn(machine), nested));
      expect([kind, message]).toEqual(["in-use", expect.stringContaining("'vm1' has a file in it")]);
      return await openMount(order);
    };
    await startDomain(node, one);
    expect(machine.mounts.orders.map(({ source }) => source)).not.toContain(`${EXPORT}/one/inner`);
    expect([mountPointsOf(machine), readRecord(nodeOn(machine), OTHER)]).toEqual([
      [NET, `${NET}/one`],
      undefined,
    ]);
  });
});
