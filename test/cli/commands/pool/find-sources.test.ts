import { describe, expect, test } from "bun:test";
import { MemoryLvm } from "../../../scenes/lvm.ts";
import { makeMachine } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

const NAMES = ["find-storage-pool-sources", "find-storage-pool-sources-as"] as const;

describe.each(NAMES)("svirt %s", (name) => {
  // storageConnectFindStoragePoolSources() of libvirt; a storage daemon 11.3 prints the same.
  test.each(["dir", "fs", "disk", "scsi", "mpath", "rbd", "zfs"])(
    "refuses the type %s in libvirt's words",
    async (type) => {
      const { code, err } = await runOn(makeMachine(), name, type);
      expect([code, err]).toEqual([
        2,
        expect.stringContaining(
          `error: this function is not supported by the connection driver: pool type '${type}' does not support source discovery\n`,
        ),
      ]);
    },
  );

  test("refuses a type that is unknown in libvirt's words", async () => {
    const { code, err } = await runOn(makeMachine(), name, "constructor");
    expect([code, err]).toEqual([
      2,
      expect.stringContaining("internal error: unknown storage pool type constructor\n"),
    ]);
  });

  // Backends of libvirt with findPoolSources.
  test.each([
    ["netfs", "showmount"],
    ["iscsi", "iscsiadm"],
    ["iscsi-direct", "iscsiadm"],
    ["gluster", "gluster"],
  ])("refuses %s by its name, with the command that finds its sources", async (type, command) => {
    const { code, err } = await runOn(makeMachine(), name, type);
    expect([code, err]).toEqual([2, expect.stringContaining(`of type ${type}: svirt does not search`)]);
    expect(err).toContain(`remedy: Search for it yourself: ${command}`);
  });
});

test("the volume groups of the host are printed as virsh prints them", async () => {
  const machine = makeMachine();
  const lvm = new MemoryLvm(machine, 1024 * 1024);
  lvm.physical.set("/dev/sda", "vg");
  for (const name of NAMES) {
    const { code, out } = await runOn(machine, name, "logical");
    expect([code, out]).toEqual([
      0,
      "<sources>\n  <source>\n    <device path='/dev/sda'/>\n    <name>vg</name>\n    <format type='lvm2'/>\n  </source>\n</sources>\n\n",
    ]);
  }
});

test("the commands take virsh's arguments, by position and by name", async () => {
  for (const words of [
    ["find-storage-pool-sources", "netfs", "/source.xml"],
    ["find-storage-pool-sources", "netfs", "--srcSpec", "/source.xml"],
    ["find-storage-pool-sources-as", "netfs", "host", "2049", "iqn.a"],
    ["find-storage-pool-sources-as", "--type", "netfs", "--host", "host", "--port", "1", "--initiator", "i"],
  ])
    expect([words, (await runOn(makeMachine(), ...words)).err]).toEqual([
      words,
      expect.stringContaining("does not search"),
    ]);
});
