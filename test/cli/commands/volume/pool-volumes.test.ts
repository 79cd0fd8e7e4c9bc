import { describe, expect, test } from "bun:test";
import { parseVolume } from "../../../../src/storage/volume/document.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import { diskXml, domainXml, nodeOn, OTHER } from "../../../scenes/scene.ts";
import { activatePool, IMAGES, makePoolMachine, POOL_UUID } from "../../../scenes/volumes.ts";
import { runOn } from "../../in-memory.ts";

const XML =
  "<volume><name>new.img</name><capacity unit='KiB'>8</capacity><target><permissions><mode>0640</mode></permissions></target></volume>";

const QCOW2 = "<volume><name>c.qcow2</name><target><format type='qcow2'/></target></volume>";

/**
 * Returns a machine with an active pool `small` of two volumes, and the documents of others in /vol.xml and
 * /qcow2.xml.
 */
function makeSmallPool(): Machine {
  const machine = makePoolMachine();
  machine.files.putFolder("/srv/small/sub");
  machine.files.put("/srv/small/one.raw", "file", { bytes: new Uint8Array(2048) });
  machine.files.put("/vol.xml", "file", { bytes: new TextEncoder().encode(XML) });
  machine.files.put("/qcow2.xml", "file", { bytes: new TextEncoder().encode(QCOW2) });
  activatePool(nodeOn(machine), { name: "small", folder: "/srv/small", uuid: OTHER });
  return machine;
}

async function said(machine: Machine, line: string): Promise<string> {
  const { code, err, out } = await runOn(machine, ...line.split(" "));
  return `${code} ${out}${err}`;
}

describe("the commands of volumes", () => {
  // tools/virsh-volume.c of libvirt
  test("say what virsh says", async () => {
    const machine = makeSmallPool();
    const lines = [
      ["vol-create small /vol.xml", "Vol new.img created from /vol.xml\n\n"],
      ["vol-create-as small as.qcow2 1M --format qcow2", "Vol as.qcow2 created\n\n"],
      ["vol-path new.img --pool small", "/srv/small/new.img\n\n"],
      ["vol-key new.img --pool small", "/srv/small/new.img\n\n"],
      ["vol-name /srv/small/new.img", "new.img\n\n"],
      ["vol-pool /srv/small/new.img", "small\n\n"],
      ["vol-pool /srv/small/new.img --uuid", `${OTHER}\n\n`],
      ["vol-resize new.img 16KiB --pool small", "Size of volume 'new.img' successfully changed to 16KiB\n\n"],
      [
        "vol-resize new.img 4k --delta --pool small",
        "Size of volume 'new.img' successfully changed by 4k\n\n",
      ],
      ["vol-clone new.img copy.img --pool small", "Vol copy.img cloned from new.img\n\n"],
      [
        "vol-create-from images /vol.xml /srv/small/new.img",
        "Vol new.img created from input vol new.img\n\n",
      ],
      [
        "vol-create-from small /qcow2.xml one.raw --inputpool small",
        "Vol c.qcow2 created from input vol one.raw\n\n",
      ],
      ["vol-delete c.qcow2 --pool small", "Vol c.qcow2 deleted\n\n"],
      ["vol-delete new.img --pool small", "Vol new.img deleted\n\n"],
      ["vol-delete /srv/small/as.qcow2", "Vol /srv/small/as.qcow2 deleted\n\n"],
    ] as const;
    for (const [line, text] of lines) expect([line, await said(machine, line)]).toEqual([line, `0 ${text}`]);
  });

  test("vol-list has virsh's columns", async () => {
    const machine = makeSmallPool();
    expect(await said(machine, "vol-list small")).toBe(
      "0 " +
        " Name      Path\n" +
        "-------------------------------\n" +
        " one.raw   /srv/small/one.raw\n" +
        " sub       /srv/small/sub\n\n",
    );
    expect(await said(machine, `vol-list ${OTHER} --details`)).toBe(
      "0 " +
        " Name      Path                 Type   Capacity   Allocation\n" +
        "--------------------------------------------------------------\n" +
        " one.raw   /srv/small/one.raw   file   2.00 KiB   2.00 KiB\n" +
        " sub       /srv/small/sub       dir    0.00 B     0.00 B\n\n",
    );
  });

  test("print JSON", async () => {
    const machine = makeSmallPool();
    const json = async (line: string): Promise<unknown> =>
      JSON.parse((await runOn(machine, ...line.split(" "), "--json")).out);
    const one = {
      name: "one.raw",
      path: "/srv/small/one.raw",
      type: "file",
      format: "raw",
      capacityBytes: 2048,
      allocationBytes: 2048,
    };
    expect(await json("vol-list small")).toEqual([
      one,
      expect.objectContaining({ name: "sub", type: "dir" }),
    ]);
    const made = { name: "new.img", path: "/srv/small/new.img" };
    expect(await json("vol-create small /vol.xml")).toEqual(made);
    for (const name of ["vol-path", "vol-key"])
      expect(await json(`${name} new.img --pool small`)).toBe(made.path);
    expect([await json(`vol-name ${made.path}`), await json(`vol-pool ${made.path}`)]).toEqual([
      "new.img",
      "small",
    ]);
    expect(await json("vol-clone new.img copy.img --pool small")).toEqual({
      name: "copy.img",
      path: "/srv/small/copy.img",
      source: "new.img",
    });
    expect(await json("vol-delete new.img --pool small")).toEqual(made);
    expect(await json("vol-create-as small as.raw 512")).toEqual({
      name: "as.raw",
      path: "/srv/small/as.raw",
    });
  });

  test("vol-info and vol-dumpxml show a volume by its name in a pool", async () => {
    const machine = makeSmallPool();
    expect(await said(machine, "vol-info one.raw --pool small --bytes")).toBe(
      "0 Name:           one.raw\nType:           file\nCapacity:       2048 bytes\nAllocation:     2048 bytes\n\n",
    );
    const { out } = await runOn(machine, "vol-dumpxml", "one.raw", "--pool", "small");
    expect(parseVolume(new TextEncoder().encode(out))).toMatchObject({
      name: "one.raw",
      key: "/srv/small/one.raw",
      capacityBytes: 2048,
    });
    expect(await said(machine, "vol-dumpxml sub --pool small")).toContain(
      "<volume type='dir'>\n  <name>sub</name>",
    );
  });

  test("vol-create-as --print-xml prints virsh's XML and creates nothing", async () => {
    const machine = makeSmallPool();
    const line =
      "vol-create-as images top.qcow2 1G --format qcow2 --backing-vol base.raw --backing-vol-format raw";
    const { out } = await runOn(machine, ...line.split(" "), "--allocation", "4KiB", "--print-xml");
    expect(out).toBe(`<volume>
  <name>top.qcow2</name>
  <capacity>1073741824</capacity>
  <allocation>4096</allocation>
  <target>
    <format type='qcow2'/>
  </target>
  <backingStore>
    <path>${IMAGES}/base.raw</path>
    <format type='raw'/>
  </backingStore>
</volume>

`);
    expect(machine.files.find("/srv/small/top.qcow2")).toBeUndefined();
  });

  test("vol-create-as creates an image above a volume of another pool", async () => {
    const machine = makeSmallPool();
    const line = `vol-create-as small above 1G --format qcow2 --backing-vol ${IMAGES}/base.raw`;
    expect(await said(machine, line)).toBe("0 Vol above created\n\n");
    expect(await said(machine, "vol-dumpxml above --pool small")).toContain(
      `<path>${IMAGES}/base.raw</path>\n    <format type='raw'/>`,
    );
    expect(await said(machine, "vol-delete base.raw --pool images")).toStartWith("5 ");
  });

  test.each([
    ["vol-create-as small v 1X", "2 error: Malformed size 1X\n"],
    ["vol-create-as small v 1G --allocation -1", "2 "],
    ["vol-create-as small v 1G --format vdi", "2 error: Cannot create the volume: /volume/target/format: "],
    [
      "vol-create-as small v 1G --prealloc-metadata",
      "2 error: metadata preallocation is not supported for raw volumes\n",
    ],
    ["vol-create-as small one.raw 1G", "5 error: storage volume 'one.raw' exists already\n"],
    ["vol-create-as small v 1G --format qcow2 --backing-vol none", "3 error: failed to get vol 'none'"],
    [
      "vol-create-as none v 1G",
      "3 error: Storage pool not found: no storage pool with matching name 'none'\n",
    ],
    ["vol-resize one.raw -1k --pool small", "2 error: "],
    [
      "vol-resize one.raw 1k --pool small",
      "2 error: invalid argument: can't shrink capacity below existing allocation\n",
    ],
    ["vol-resize one.raw 1Q --pool small", "2 error: Malformed size 1Q\n"],
    ["vol-resize none 1G --pool small", "3 error: failed to get vol 'none'\n"],
    ["vol-clone none v --pool small", "3 error: failed to get vol 'none'\n"],
    ["vol-clone sub v --pool small", "2 error: "],
    [
      "vol-create-from small /vol.xml none",
      "3 error: failed to get vol 'none', specifying --pool might help\n",
    ],
    [
      "vol-create-from small /vol.xml one.raw --inputformat qed",
      "2 error: Cannot copy a volume of the format 'qed'\n",
    ],
    ["vol-list none", "3 error: Storage pool not found: no storage pool with matching name 'none'\n"],
    ["vol-path one.raw", "3 error: failed to get vol 'one.raw', specifying --pool might help\n"],
    ["vol-name /etc/shadow", "3 error: failed to get vol '/etc/shadow'\n"],
    ["vol-delete sub --pool small", "5 error: Cannot delete /srv/small/sub: it is not a file\n"],
  ])("svirt %s is refused", async (line, beginning) => {
    const machine = makeSmallPool();
    expect(await said(machine, line)).toStartWith(beginning);
    expect(machine.files.find("/srv/small/v")).toBeUndefined();
  });

  test("a volume is shown with its guest's label, and is not deleted", async () => {
    const machine = makeSmallPool();
    machine.files.put("/guest.xml", "file", {
      bytes: domainXml({ disks: diskXml(`${IMAGES}/private1.raw`, "vda") }),
    });
    await runOn(machine, "create", "/guest.xml");
    expect(await said(machine, `vol-dumpxml private1.raw --pool ${POOL_UUID}`)).toMatch(
      /<label>system_u:object_r:svirt_image_t:s0:c\d+,c\d+<\/label>/,
    );
    expect(await said(machine, "vol-delete private1.raw --pool images")).toStartWith(
      `5 error: Cannot delete ${IMAGES}/private1.raw: the guest vm1 uses that file\n`,
    );
    await runOn(machine, "destroy", "vm1");
    expect(await said(machine, "vol-delete private1.raw --pool images")).toBe(
      "0 Vol private1.raw deleted\n\n",
    );
  });

  test("label show, set and restore take volumes of a pool", async () => {
    const machine = makeSmallPool();
    const label = "system_u:object_r:virt_content_t:s0";
    expect(await said(machine, `label set one.raw ${label} --pool small`)).toStartWith(
      "0 /srv/small/one.raw relabelled ",
    );
    expect(await said(machine, "label show one.raw --pool small")).toMatch(
      new RegExp(`^0 Path: +/srv/small/one.raw\nLabel: +${label}\n`),
    );
    expect(await said(machine, "label restore none --pool small")).toStartWith(
      "3 error: failed to get vol 'none'",
    );
  });
});
