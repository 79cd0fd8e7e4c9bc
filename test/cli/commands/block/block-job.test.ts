// In turn: it takes seconds of a processor.
import { describe, expect, test } from "bun:test";
import { startDomain } from "../../../../src/vm/start/start.ts";
import { extension, qcow2Bytes } from "../../../images/qcow2-bytes.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import { machineWithChain } from "../../../scenes/block.ts";
import { machineWithLuks, machineWithVolume } from "../../../scenes/luks.ts";
import { diskXml, domainXml, labelOf, nodeOn, ORIGINAL } from "../../../scenes/scene.ts";
import { SECRET_UUID } from "../../../scenes/secrets.ts";
import { runOn } from "../../in-memory.ts";

const IMAGES = "/var/lib/images";

/** Runs a command line. Its arguments contain no blanks. */
const run = (machine: Machine, line: string) => runOn(machine, ...line.split(" "));
const listed = async (machine: Machine, more = ""): Promise<string> =>
  (await run(machine, `domblklist vm1${more}`)).out.replace(/^[\s\S]*-\n/, "").trim();

describe("snapshot-create-as", () => {
  test("prints virsh's words, and domblklist shows the overlay", async () => {
    const machine = await machineWithChain();
    const said = await run(machine, "snapshot-create-as vm1 s1 --disk-only --atomic --no-metadata");
    expect(said).toEqual({ code: 0, out: "Domain snapshot s1 created\n", err: "" });
    expect([await listed(machine), await listed(machine, " --inactive")]).toEqual([
      `vda      ${IMAGES}/top.s1`,
      `vda      ${IMAGES}/top.s1`,
    ]);
  });

  test("takes a --diskspec for each disk, and is named by the time without a name", async () => {
    const machine = await machineWithChain(diskXml(`${IMAGES}/private1.raw`, "vdb"));
    const specs = `--diskspec vda,snapshot=no --diskspec vdb,driver=qcow2,file=${IMAGES}/mine.qcow2`;
    const seconds = Math.floor(machine.nowMs / 1000);
    const said = await run(machine, `snapshot-create-as vm1 --disk-only ${specs}`);
    expect(said.out).toBe(`Domain snapshot ${seconds} created\n`);
    expect(await listed(machine)).toBe(`vda      ${IMAGES}/top.qcow2\n vdb      ${IMAGES}/mine.qcow2`);
  });

  // cmdSnapshotCreateAs() of libvirt's tools/virsh-snapshot.c
  test("--print-xml prints what virsh prints, and changes nothing", async () => {
    const machine = await machineWithChain();
    const line =
      "snapshot-create-as vm1 s1 why --print-xml --diskspec vda,snapshot=external,driver=qcow2,file=/a,,b";
    expect((await run(machine, line)).out).toBe(
      `<domainsnapshot>
  <name>s1</name>
  <description>why</description>
  <disks>
    <disk name='vda' snapshot='external'>
      <driver type='qcow2'/>
      <source file='/a,b'/>
    </disk>
  </disks>
</domainsnapshot>

`,
    );
    expect(await listed(machine)).toBe(`vda      ${IMAGES}/top.qcow2`);
  });

  test.each([
    ["", 2, "Operation not supported: svirt does not take snapshots inside an image"],
    ["--print-xml --no-metadata", 2, "Options --print-xml and --no-metadata are mutually exclusive"],
    ["--disk-only --diskspec vda,size=1", 2, "unable to parse diskspec: vda,size=1"],
    ["--disk-only --live", 2, "command 'snapshot-create-as' doesn't support option --live"],
    ["--disk-only --quiesce", 2, "argument unsupported: QEMU guest agent is not configured"],
  ])("refuses %s", async (options, code, message) => {
    const machine = await machineWithChain();
    const said = await run(machine, `snapshot-create-as vm1 s1 ${options}`.trim());
    expect([said.code, said.err.split("\n")[0]]).toEqual([code, `error: ${message}`]);
  });

  test("takes one of a domain that is off", async () => {
    const machine = await machineWithChain();
    await run(machine, "destroy vm1");
    const said = await run(machine, "snapshot-create-as vm1 s1 --disk-only");
    expect([said.code, said.out]).toEqual([0, "Domain snapshot s1 created\n"]);
    expect(await listed(machine)).toBe(`vda      ${IMAGES}/top.s1`);
  });
});

// cmdBlockcommit(), cmdBlockcopy(), cmdBlockpull() and cmdBlockjob() of libvirt's tools/virsh-domain.c
describe("a job", () => {
  test("is started, looked at, paced and ended in virsh's words", async () => {
    const machine = await machineWithChain();
    expect((await run(machine, "blockcommit vm1 vda 8 --active")).out).toBe("Active Block Commit started\n");
    const info = await run(machine, "blockjob vm1 vda");
    expect(info).toEqual({
      code: 0,
      out: "    Bandwidth limit: 8388608 bytes/s (8.000 MiB/s)\n",
      err: "\rActive Block Commit: [50.00 %]",
    });
    expect((await run(machine, "blockjob vm1 vda 0")).code).toBe(0);
    expect((await run(machine, "blockjob vm1 vda --raw")).out).toBe(
      " type=Active Block Commit\n bandwidth=0\n cur=1\n end=2\n",
    );
    expect((await run(machine, "blockjob vm1 vda --abort")).code).toBe(0);
    expect((await run(machine, "blockjob vm1 vda")).out).toBe("No current block job for vda\n");
  });

  test("waits, pivots and shows how far it is", async () => {
    const machine = await machineWithChain();
    await run(machine, "snapshot-create-as vm1 s1 --disk-only");
    const said = await run(machine, "blockcommit vm1 vda --active --pivot --shallow --verbose");
    expect([said.out, said.err]).toEqual([
      "\nSuccessfully pivoted\n",
      "\rBlock commit: [50.00 %]\rBlock commit: [100.00 %]\rBlock commit: [100.00 %]",
    ]);
    expect(await listed(machine)).toBe(`vda      ${IMAGES}/top.qcow2`);
  });

  test.each([
    ["blockcommit vm1 vda --active --wait", "\nNow in synchronized phase\n"],
    ["blockcommit vm1 vda --keep-overlay", "\nCommit complete, overlay image kept\n"],
    ["blockcopy vm1 vda /var/lib/images/c.qcow2", "Block Copy started\n"],
    ["blockcopy vm1 vda /var/lib/images/c.qcow2 --wait", "\nNow in mirroring phase\n"],
    ["blockcopy vm1 vda /var/lib/images/c.raw --format raw --finish", "\nSuccessfully copied\n"],
    ["blockcopy vm1 vda --dest /var/lib/images/c.qcow2 --shallow --pivot", "\nSuccessfully pivoted\n"],
    ["blockpull vm1 vda", "Block Pull started\n"],
    ["blockpull vm1 vda --wait", "\nPull complete\n"],
  ])("%s says so", async (line, out) => {
    expect(await run(await machineWithChain(), line)).toEqual({ code: 0, out, err: "" });
  });

  test("blockcopy warns that the copy of an encrypted disk is not encrypted, unless its XML encrypts it", async () => {
    const machine = await machineWithLuks();
    const warning =
      "warning: the copy of vda is not encrypted: <encryption> in the XML of --xml encrypts it\n";
    const plain = await run(machine, `blockcopy vm1 vda ${IMAGES}/c.raw --format raw --finish`);
    expect(plain).toEqual({ code: 0, out: "\nSuccessfully copied\n", err: warning });
    const encryption = "<encryption format='luks'><secret type='passphrase' usage='/luks'/></encryption>";
    const xml = `<disk type='file'><driver type='raw'/><source file='${IMAGES}/c.luks'>${encryption}</source></disk>`;
    machine.files.put("/c.xml", "file", { bytes: new TextEncoder().encode(xml) });
    expect(await run(machine, "blockcopy vm1 vda --xml /c.xml --finish")).toEqual({ ...plain, err: "" });
  });

  test("blockcopy --shallow of an image that is not encrypted warns of no encrypted one below it", async () => {
    const machine = await machineWithVolume();
    const top = `${IMAGES}/over.qcow2`;
    const bytes = qcow2Bytes({
      backingFile: `${IMAGES}/a.luks`,
      extensions: [[extension.backingFormat, "luks"]],
    });
    machine.files.put(top, "file", { bytes }).xattrs.set("security.selinux", ORIGINAL);
    const encryption = `<encryption format='luks'><secret type='passphrase' uuid='${SECRET_UUID}'/></encryption>`;
    const below = `<backingStore type='file'><format type='raw'/><source file='${IMAGES}/a.luks'>${encryption}</source></backingStore>`;
    const disk = `<disk type='file'><driver name='qemu' type='qcow2'/><source file='${top}'/>${below}<target dev='vda' bus='virtio'/></disk>`;
    await startDomain(nodeOn(machine), domainXml({ disks: disk }));
    const plain = await run(machine, `blockcopy vm1 vda ${IMAGES}/c.qcow2 --finish`);
    expect(plain.err).toStartWith("warning: the copy of vda is not encrypted");
    const shallow = await run(machine, `blockcopy vm1 vda ${IMAGES}/d.qcow2 --shallow --finish`);
    expect(shallow).toEqual({ code: 0, out: "\nSuccessfully copied\n", err: "" });
  });

  test("that nobody waits for is finished by the next command, whichever it is", async () => {
    const machine = await machineWithChain();
    await run(machine, "snapshot-create-as vm1 s1 --disk-only");
    await run(machine, `blockpull vm1 vda --base ${IMAGES}/base.raw`);
    machine.pass(1000);
    expect(labelOf(machine, `${IMAGES}/top.qcow2`)).toContain("virt_content_t");
    await run(machine, "list");
    expect(labelOf(machine, `${IMAGES}/top.qcow2`)).toBe(ORIGINAL);
    expect((await run(machine, "blockjob vm1 vda")).out).toBe("No current block job for vda\n");
  });

  test("takes the copy's place from XML, which --print-xml prints", async () => {
    const machine = await machineWithChain();
    const xml =
      "<disk type='file'>\n  <source file='/var/lib/images/c.qcow2'/>\n  <driver type='qcow2'/>\n</disk>\n";
    expect(
      (await run(machine, "blockcopy vm1 vda /var/lib/images/c.qcow2 --format qcow2 --print-xml")).out,
    ).toBe(xml);
    machine.files.put("/c.xml", "file", { bytes: new TextEncoder().encode(xml) });
    await run(machine, "blockcopy vm1 vda --xml /c.xml --pivot");
    expect(await listed(machine)).toBe(`vda      ${IMAGES}/c.qcow2`);
  });

  test("--dry-run prints its steps, and changes nothing", async () => {
    const machine = await machineWithChain();
    const said = await run(machine, "blockcopy vm1 vda /var/lib/images/c.qcow2 --dry-run");
    expect(said.out.split("\n")[0]).toBe(
      "  1  create the image /var/lib/images/c.qcow2: qcow2, 1048576 bytes",
    );
    expect(said.out).toContain("start blockdev-mirror in QEMU as job copy-vda-libvirt-1-format");
    expect(machine.files.find(`${IMAGES}/c.qcow2`)).toBeUndefined();
  });

  test.each([
    ["blockcommit vm1 vda", "invalid argument: commit of 'vda' active layer requires active flag"],
    [
      "blockcommit vm1 vda --pivot --keep-overlay",
      "Options --pivot and --keep-overlay are mutually exclusive",
    ],
    ["blockcommit vm1 vda x", "Numeric value 'x' for <bandwidth> option is malformed or out of range"],
    ["blockcopy vm1 vda", "need either --dest or --xml"],
    ["blockcopy vm1 vda /a --xml /b", "Options --dest and --xml are mutually exclusive"],
    ["blockjob vm1 vda --abort --info", "Options --info and --abort are mutually exclusive"],
  ])("%s is refused", async (line, message) => {
    const said = await run(await machineWithChain(), line);
    expect([said.code, said.err.split("\n")[0]]).toEqual([2, `error: ${message}`]);
  });
});

// cmdDomblkinfo() of libvirt's tools/virsh-domain.c
test("domblkinfo shows the sizes of an image, in virsh's layout", async () => {
  const machine = await machineWithChain(diskXml(`${IMAGES}/private1.raw`, "vdb"));
  expect((await run(machine, "domblkinfo vm1 vda")).out).toBe(
    "Capacity:       1048576\nAllocation:     1024\nPhysical:       1024\n\n",
  );
  expect((await run(machine, "domblkinfo vm1 vda --human")).out).toBe(
    "Capacity:       1.000 MiB\nAllocation:     1.000 KiB\nPhysical:       1.000 KiB\n\n",
  );
  await run(machine, "destroy vm1");
  expect((await run(machine, "domblkinfo vm1 --all")).out).toBe(
    ` Target   Capacity   Allocation   Physical
--------------------------------------------
 vda      1048576    1024         1024
 vdb      4096       4096         4096

`,
  );
  const said = await run(machine, "domblkinfo vm1 vdz");
  expect([said.code, said.err.split("\n")[0]]).toEqual([
    3,
    "error: invalid argument: invalid path vdz not assigned to domain",
  ]);
});
