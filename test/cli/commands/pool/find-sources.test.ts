import { describe, expect, test } from "bun:test";
import { errorsOfWork } from "../../../../src/errors.ts";
import type { ProgramOutput } from "../../../../src/host/processes.ts";
import { findSources } from "../../../../src/vm/pool/find-sources.ts";
import { MemoryLvm } from "../../../scenes/lvm.ts";
import { makeMachine, nodeOn, putText } from "../../../scenes/scene.ts";
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
    ["iscsi", "iscsiadm"],
    ["iscsi-direct", "iscsiadm"],
    ["gluster", "gluster"],
  ])("refuses %s by its name, with the command that finds its sources", async (type, command) => {
    const { code, err } = await runOn(makeMachine(), name, type);
    expect([code, err]).toEqual([
      2,
      expect.stringContaining(`of type ${type}: svirt searches only for NFS exports and volume groups`),
    ]);
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

const SHOWMOUNT = "/usr/sbin/showmount";

/** A machine whose showmount prints this. */
function machineWith(output: ProgramOutput) {
  const machine = makeMachine();
  putText(machine, SHOWMOUNT, "");
  const run: string[] = [];
  machine.readOutput = (words) => {
    run.push(words.join(" "));
    return output;
  };
  return { machine, run };
}

// The example in virStorageBackendFileSystemNetFindNFSPoolSources() of libvirt, and names that XML cannot
// contain.
const EXPORTS = "/tmp   *\n/A dir demo1.foo.bar,demo2.foo.bar\n/b\u001b[2J *\nnone *\n";

// defaultPoolSourcesNetFSXML in src/test/test_driver.c of libvirt
const SOURCES = `<sources>
  <source>
    <host name='192.0.2.1'/>
    <dir path='/tmp'/>
    <format type='nfs'/>
  </source>
  <source>
    <host name='192.0.2.1'/>
    <dir path='/A dir'/>
    <format type='nfs'/>
  </source>
</sources>

`;

describe("the exports of an NFS server", () => {
  test("are printed as libvirt prints them, for virsh's arguments by position and by name", async () => {
    for (const words of [
      ["find-storage-pool-sources", "netfs", "/source.xml"],
      ["find-storage-pool-sources", "netfs", "--srcSpec", "/source.xml"],
      ["find-storage-pool-sources-as", "netfs", "192.0.2.1", "2049", "iqn.a"],
      [
        "find-storage-pool-sources-as",
        "--type",
        "netfs",
        "--host",
        "192.0.2.1",
        "--port",
        "1",
        "--initiator",
        "i",
      ],
    ]) {
      const { machine, run } = machineWith({ text: EXPORTS });
      putText(machine, "/source.xml", "<source><host name='192.0.2.1'/></source>");
      expect([words, await runOn(machine, ...words)]).toEqual([words, { code: 0, out: SOURCES, err: "" }]);
      expect(run).toEqual([`${SHOWMOUNT} --no-headers --exports 192.0.2.1`]);
    }
  });

  test.each([
    [
      ["find-storage-pool-sources-as", "netfs"],
      "invalid argument: hostname must be specified for netfs sources",
    ],
    [
      ["find-storage-pool-sources", "netfs"],
      "invalid argument: hostname must be specified for netfs sources",
    ],
    [["find-storage-pool-sources-as", "netfs", "--host=-a"], "/source/host/@name"],
    [["find-storage-pool-sources-as", "netfs", "a b"], "/source/host/@name"],
    [["find-storage-pool-sources", "netfs", "/two.xml"], "Expected exactly 1 host for the storage pool"],
    [["find-storage-pool-sources", "netfs", "/pool.xml"], "it is not a <source>"],
  ])("are not asked for by %j", async (words, message) => {
    const { machine, run } = machineWith({ text: EXPORTS });
    putText(machine, "/two.xml", "<source><host name='a'/><host name='b'/></source>");
    putText(machine, "/pool.xml", "<pool type='netfs'/>");
    const { code, err, out } = await runOn(machine, ...words);
    expect([out, err, run]).toEqual(["", expect.stringContaining(message), []]);
    expect(code).not.toBe(0);
  });

  test("are none of a server that does not answer, and need showmount", async () => {
    const words = ["find-storage-pool-sources-as", "netfs", "192.0.2.1"];
    const { err } = await runOn(machineWith({ fault: "failed" }).machine, ...words);
    expect(err).toContain("operation failed: no storage pools were found on host '192.0.2.1'\n");
    expect((await runOn(makeMachine(), ...words)).err).toContain(`this host has no ${SHOWMOUNT}`);
  });

  test("are not for a restricted key", async () => {
    const { machine, run } = machineWith({ text: EXPORTS });
    const spec = () => new TextEncoder().encode("<source><host name='a'/></source>");
    const [error] = await errorsOfWork(
      async () => await findSources({ ...nodeOn(machine), isForKey: true }, "netfs", spec),
    );
    expect([error?.kind, run]).toEqual(["denied", []]);
  });
});
