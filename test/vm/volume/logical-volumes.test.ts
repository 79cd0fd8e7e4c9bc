import { describe, expect, test } from "bun:test";
import { SvirtError } from "../../../src/errors.ts";
import { convertImage } from "../../../src/images/conversion/convert-image.ts";
import { formatNewImage } from "../../../src/images/new-qcow2.ts";
import { registryOf } from "../../../src/state/instance.ts";
import { formatVolume } from "../../../src/storage/volume/document.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { definePool } from "../../../src/vm/pool/define-pool.ts";
import { buildPool, createPool, destroyPool, startPool } from "../../../src/vm/pool/start-pool.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { cloneVolume, createVolumeFromVolume } from "../../../src/vm/volume/copy-volume.ts";
import { createVolumeFrom } from "../../../src/vm/volume/create-volume.ts";
import { deleteVolume } from "../../../src/vm/volume/delete-volume.ts";
import { findVolume } from "../../../src/vm/volume/find-volume.ts";
import { listPoolVolumes, listPoolVolumesWithSizes } from "../../../src/vm/volume/list-volumes.ts";
import { resizeVolume } from "../../../src/vm/volume/resize-volume.ts";
import { showVolumeOf } from "../../../src/vm/volume/show-volume.ts";
import { uploadVolume } from "../../../src/vm/volume/upload-volume.ts";
import { wipeVolume } from "../../../src/vm/volume/wipe-volume.ts";
import { sourceOf } from "../../memory-host/converted-bytes.ts";
import { DISK_LABEL, makeScsiMachine } from "../../scenes/devices.ts";
import { recordOf } from "../../scenes/hotplug.ts";
import { MemoryLvm } from "../../scenes/lvm.ts";
import { otherPoolXml, poolXml } from "../../scenes/pools.ts";
import { domainXml, errorOf, labelOf, nodeOn, OTHER } from "../../scenes/scene.ts";

const MiB = 1024 * 1024;
const UNSUPPORTED = "this function is not supported by the connection driver:";

/** A machine with the active pool `lv` of the group vg-0. */
async function machineWith() {
  const machine = makeScsiMachine();
  const lvm = new MemoryLvm(machine, 68 * MiB);
  const node = nodeOn(machine);
  const source = "<source><device path='/dev/sdb'/><name>vg-0</name></source>";
  await definePool(node, otherPoolXml("logical", source, "lv"));
  await buildPool(node, "lv");
  await startPool(node, "lv", { isBuilt: false });
  lvm.run.length = 0;
  return { machine, lvm, node };
}

const bytesOf = (name: string, content: string) =>
  new TextEncoder().encode(`<volume><name>${name}</name>${content}</volume>`);
const EIGHT = "<capacity unit='MiB'>8</capacity>";

async function make(node: ReturnType<typeof nodeOn>, name: string, content = EIGHT) {
  return await createVolumeFrom(node, "lv", { bytes: bytesOf(name, content), flags: {} });
}

describe("a logical volume", () => {
  // virStorageBackendLogicalLVCreate() of libvirt
  test("is made with libvirt's arguments: whole, sparse, or as a snapshot", async () => {
    const { lvm, node } = await machineWith();
    expect(await make(node, "a-1", "<capacity>1500</capacity>")).toEqual({
      name: "a-1",
      path: "/dev/vg-0/a-1",
    });
    await make(node, "sparse", `${EIGHT}<allocation>0</allocation>`);
    await make(node, "small", `${EIGHT}<allocation unit='MiB'>4</allocation>`);
    await make(node, "snap", `${EIGHT}<backingStore><path>/dev/vg-0/a-1</path></backingStore>`);
    expect(lvm.run).toEqual([
      "lvcreate --name a-1 -L 2K vg-0 --yes",
      "lvcreate --name sparse -L 1K --type snapshot --virtualsize 8192K vg-0 --yes",
      "lvcreate --name small -L 4096K --type snapshot --virtualsize 8192K vg-0 --yes",
      "lvcreate --name snap -L 8192K -s vg-0/a-1 --yes",
    ]);
    expect(listPoolVolumes(node, "lv")).toMatchObject(
      ["a-1", "small", "snap", "sparse"].map((name) => ({ name, path: `/dev/vg-0/${name}`, type: "block" })),
    );
    expect(listPoolVolumesWithSizes(node, "lv").find(({ name }) => name === "sparse")).toMatchObject({
      capacityBytes: 8 * MiB,
      allocationBytes: 4 * MiB,
    });
  });

  // vol-logical.xml of libvirt
  test("is shown with libvirt's key, parts and path, and a snapshot with its origin", async () => {
    const { lvm, node } = await machineWith();
    await make(node, "one");
    lvm.addVolume("vg-0", { name: "hidden" });
    await make(node, "snap", `${EIGHT}<backingStore><path>/dev/vg-0/one</path></backingStore>`);
    const shown = formatVolume(showVolumeOf(node, "snap", "lv"));
    const { key } = findVolume(node, "snap", "lv");
    expect(key).toMatch(/^\w{6}(?:-\w{4}){5}-\w{6}$/);
    expect(shown).toStartWith(`<volume type='block'>
  <name>snap</name>
  <key>${key}</key>
  <source>
    <device path='/dev/sdb'>
      <extent start='${12 * MiB}' end='${20 * MiB}'/>
    </device>
  </source>
  <capacity unit='bytes'>${8 * MiB}</capacity>
  <allocation unit='bytes'>${8 * MiB}</allocation>
  <physical unit='bytes'>${8 * MiB}</physical>
  <target>
    <path>/dev/vg-0/snap</path>
    <permissions>`);
    expect(shown).toContain(`<backingStore>\n    <path>/dev/vg-0/one</path>\n  </backingStore>`);
    for (const word of [key, "/dev/vg-0/snap"])
      expect(findVolume(node, word)).toMatchObject({ name: "snap", key });
    // Not active, so without a node.
    expect(listPoolVolumes(node, "lv").map(({ name }) => name)).toEqual(["one", "snap"]);
    expect((await errorOf(make(node, "hidden"))).libvirt.name).toBe("VIR_ERR_STORAGE_VOL_EXIST");
  });

  test("is labelled at its node for a guest, and restored at the guest's end", async () => {
    const { machine, node } = await machineWith();
    await make(node, "one");
    const disks = "<disk type='volume'><source pool='lv' volume='one'/><target dev='vda'/></disk>";
    await startDomain(node, domainXml({ disks }));
    const path = findVolume(node, "one", "lv").facts.id.path;
    expect(labelOf(machine, path)).toBe(recordOf(machine).label.imageLabel);
    expect((await errorOf(destroyPool(node, "lv"))).kind).toBe("in-use");
    expect((await errorOf(deleteVolume(node, { key: "one", pool: "lv" }))).kind).toBe("in-use");
    const snapshot = make(node, "snap", `${EIGHT}<backingStore><path>/dev/vg-0/one</path></backingStore>`);
    expect((await errorOf(snapshot)).kind).toBe("in-use");
    await destroyDomain(node, "vm1");
    expect(labelOf(machine, path)).toBe(DISK_LABEL);
    await destroyPool(node, "lv");
  });

  test("is deleted, unless a guest, the host, a definition or a snapshot has it", async () => {
    const { lvm, machine, node } = await machineWith();
    await make(node, "one");
    await make(node, "snap", `${EIGHT}<backingStore><path>/dev/vg-0/one</path></backingStore>`);
    lvm.run.length = 0;
    const one = { key: "one", pool: "lv" };
    expect((await errorOf(deleteVolume(node, one))).message).toBe(
      "Cannot delete /dev/vg-0/one: the volume snap is a snapshot of it",
    );
    const number = machine.files.get("/dev/vg-0/snap").node ?? "";
    machine.files.putFolder(`/sys/dev/block/${number}/holders/dm-99`);
    expect((await errorOf(deleteVolume(node, { ...one, key: "snap" }))).kind).toBe("wrong-state");
    machine.files.remove(`/sys/dev/block/${number}/holders`);
    await deleteVolume(node, { ...one, key: "snap" });
    registryOf(node).reserve(
      { kind: "file", key: `device-${machine.files.get("/dev/vg-0/one").node}`, sharing: "exclusive" },
      OTHER,
    );
    expect((await errorOf(deleteVolume(node, one))).kind).toBe("in-use");
    expect(lvm.run).toEqual(["lvremove -f vg-0/snap"]);
    expect(listPoolVolumes(node, "lv").map(({ name }) => name)).toEqual(["one"]);
  });

  test("is not deleted while a definition names it", async () => {
    const { lvm, node } = await machineWith();
    await make(node, "one");
    lvm.run.length = 0;
    const disks = "<disk type='block'><source dev='/dev/vg-0/one'/><target dev='vda'/></disk>";
    await defineDomain(node, domainXml({ disks }));
    expect((await errorOf(deleteVolume(node, { key: "one", pool: "lv" }))).message).toContain(
      "the domain 'vm1' has it",
    );
    expect(lvm.run).toEqual([]);
  });

  test("is overwritten and wiped as a device; a sparse one is not wiped, in libvirt's words", async () => {
    const { machine, node } = await machineWith();
    await make(node, "one");
    await make(node, "sparse", `${EIGHT}<allocation>0</allocation>`);
    machine.files.put("/srv/in.img", "file", { bytes: new TextEncoder().encode("data") });
    const part = { offset: 0, mostBytes: undefined, isSparse: false };
    await uploadVolume(node, { key: "one", pool: "lv" }, { file: "/srv/in.img", part });
    expect(machine.files.get("/dev/vg-0/one").bytes[0]).toBe(0x64);
    await wipeVolume(node, { key: "one", pool: "lv" }, "zero");
    expect(machine.files.get("/dev/vg-0/one").bytes[0]).toBe(0);
    expect((await errorOf(wipeVolume(node, { key: "sparse", pool: "lv" }, "zero"))).message).toBe(
      `${UNSUPPORTED} logical volume '/dev/vg-0/sparse' is sparse, volume wipe not supported`,
    );
  });

  test("is made with the data of a file or of another volume, and with zeros behind it", async () => {
    const { lvm, machine, node } = await machineWith();
    const pool = poolXml("/srv/images", { name: "images" });
    await createPool(node, pool, { isBuilt: true });
    machine.files.put("/srv/images/a.img", "file", { bytes: new TextEncoder().encode("data") });
    const flags = { isReflink: false };
    const bytes = bytesOf("one", EIGHT);
    const source = { key: "a.img", pool: "images" };
    expect(await createVolumeFromVolume(node, "lv", { bytes, source, flags })).toEqual({
      ...{ name: "one", path: "/dev/vg-0/one", source: "a.img" },
    });
    const one = machine.files.get("/dev/vg-0/one").bytes;
    expect([new TextDecoder().decode(one.slice(0, 4)), one[4], one.length]).toEqual(["data", 0, 8 * MiB]);
    await cloneVolume(node, "two", { source: { key: "one", pool: "lv" }, flags });
    expect(machine.files.get("/dev/vg-0/two").bytes).toEqual(one);
    expect(lvm.run).toEqual([
      "lvcreate --name one -L 8192K vg-0 --yes",
      "lvcreate --name two -L 8192K vg-0 --yes",
    ]);
    machine.files.put("/srv/images/q.qcow2", "file", {
      bytes: formatNewImage({ format: "qcow2", sizeBytes: MiB, options: {} }),
    });
    const image = { bytes: bytesOf("three", EIGHT), source: { key: "q.qcow2", pool: "images" }, flags };
    expect((await errorOf(createVolumeFromVolume(node, "lv", image))).message).toContain(
      "a logical volume gets the data of raw volumes only",
    );
    expect(listPoolVolumes(node, "lv")).toHaveLength(2);
  });

  test("gets the bytes of a volume as its format is declared", async () => {
    const { machine, node } = await machineWith();
    await createPool(node, poolXml("/srv/images", { name: "images" }), { isBuilt: true });
    const header = formatNewImage({ format: "qcow2", sizeBytes: MiB, options: {} });
    machine.files.put("/srv/images/q.qcow2", "file", { mode: 0o600, bytes: header });
    machine.files.put("/srv/images/a.raw", "file", { mode: 0o600, bytes: new Uint8Array(512) });
    const copy = (key: string, format: "raw" | "qcow2") => {
      const source = { key, pool: "images", format };
      return createVolumeFromVolume(node, "lv", {
        bytes: bytesOf("one", EIGHT),
        source,
        flags: { isReflink: false },
      });
    };
    expect((await errorOf(copy("a.raw", "qcow2"))).message).toBe(
      "Cannot copy /srv/images/a.raw: its format is raw",
    );
    await copy("q.qcow2", "raw");
    const made = machine.files.get("/dev/vg-0/one").bytes;
    expect([...made.subarray(0, header.length)]).toEqual([...header]);
  });

  test("is the source of a raw or a qcow2 file, and is raw though a guest wrote a header there", async () => {
    const { machine, node } = await machineWith();
    await createPool(node, poolXml("/srv/images", { name: "images" }), { isBuilt: true });
    await make(node, "one");
    const device = machine.files.get("/dev/vg-0/one");
    device.bytes.set(formatNewImage({ format: "qcow2", sizeBytes: MiB, options: {} }));
    const copy = async (name: string, format: string): Promise<Uint8Array> => {
      const target = `<target><format type='${format}'/></target>`;
      const bytes = new TextEncoder().encode(`<volume><name>${name}</name>${target}</volume>`);
      const source = { key: "one", pool: "lv" };
      const flags = { isReflink: false };
      expect(await createVolumeFromVolume(node, "images", { bytes, source, flags })).toEqual({
        ...{ name, path: `/srv/images/${name}`, source: "one" },
      });
      return machine.files.get(`/srv/images/${name}`).bytes;
    };
    expect(await copy("a.raw", "raw")).toEqual(device.bytes);
    const image = sourceOf(await copy("a.qcow2", "qcow2"));
    const back = new Uint8Array(device.bytes.length);
    const made = { formats: ["qcow2"], format: "raw", sizeBytes: back.length, options: {} } as const;
    for (const { bytes, offset } of convertImage([image], made)) back.set(bytes, offset);
    expect(back).toEqual(new Uint8Array(device.bytes));
  });

  test("is not written to, or made another's, if its path leads to another device", async () => {
    const { machine, node } = await machineWith();
    await make(node, "old");
    const old = machine.files.get("/dev/vg-0/old");
    old.bytes[0] = 1;
    const device = machine.files.find("/dev/vg-0/old", false)?.inode.target ?? "";
    const run = machine.runProgram;
    machine.runProgram = (words, input) => {
      const end = run(words, input);
      if (words.includes("lvcreate")) machine.files.put("/dev/vg-0/new", "symlink", { target: device });
      return end;
    };
    const clone = cloneVolume(node, "new", {
      source: { key: "old", pool: "lv" },
      flags: { isReflink: false },
    });
    expect((await errorOf(clone)).message).toBe(
      "cannot open volume '/dev/vg-0/new': No such file or directory",
    );
    expect([old.bytes[0], old.uid]).toEqual([1, 0]);
  });

  test("is kept after a copy that failed, if a guest has been started with it", async () => {
    const { lvm, node } = await machineWith();
    await make(node, "one");
    const { host } = node;
    const busy: typeof node = {
      ...node,
      host: {
        ...host,
        copyToDevice({ node: number }) {
          registryOf(node).reserve({ kind: "file", key: `device-${number}`, sharing: "exclusive" }, OTHER);
          throw new SvirtError("Cannot copy: no space", { kind: "failed", remedy: "Wait." });
        },
      },
    };
    const clone = () =>
      cloneVolume(busy, "two", { source: { key: "one", pool: "lv" }, flags: { isReflink: false } });
    expect((await errorOf(clone())).message).toContain("no space");
    expect(lvm.run.filter((line) => line.startsWith("lvremove"))).toEqual([]);
    expect(lvm.groups.get("vg-0")?.volumes.map(({ name }) => name)).toEqual(["one", "two"]);
  });

  // libvirt has no resizeVol for volume groups.
  test("is not resized, in libvirt's words", async () => {
    const { node } = await machineWith();
    await make(node, "one");
    const resize = { capacityBytes: 1, isDelta: true, isShrunk: false, isAllocated: false };
    expect((await errorOf(resizeVolume(node, { key: "one", pool: "lv" }, resize))).message).toBe(
      `${UNSUPPORTED} storage pool does not support changing of volume capacity`,
    );
  });

  test.each([
    ["--yes", EIGHT, "/volume/name"],
    ["../a", EIGHT, "/volume/name"],
    ["a_tdata", EIGHT, "/volume/name"],
    ["a", "", "/volume/capacity"],
    ["a", "<capacity>0</capacity>", "/volume/capacity"],
    ["a", `${EIGHT}<backingStore><path>/dev/other/one</path></backingStore>`, "/volume/backingStore/path"],
    ["a", `${EIGHT}<backingStore><path>/dev/vg-0/../x</path></backingStore>`, "/volume/backingStore/path"],
    [
      "a",
      `${EIGHT}<allocation>1</allocation><backingStore><path>/dev/vg-0/one</path></backingStore>`,
      "/volume/allocation",
    ],
    [
      "a",
      `${EIGHT}<target><permissions><label>a:b:c:s0</label></permissions></target>`,
      "/volume/target/permissions/label",
    ],
    ["a", `${EIGHT}<target><encryption format='luks'/></target>`, "/volume/target/encryption"],
  ])("is refused with the name %j and %s", async (name, content, place) => {
    const { lvm, node } = await machineWith();
    const error = await errorOf(make(node, name, content));
    expect([error.place, lvm.run]).toEqual([place, []]);
  });
});
