import { describe, expect, test } from "bun:test";
import { registryOf } from "../../../src/state/instance.ts";
import { formatVolume } from "../../../src/storage/volume/document.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { destroyPool } from "../../../src/vm/pool/start-pool.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { uploadVolume } from "../../../src/vm/volume/content/upload-volume.ts";
import { wipeVolume } from "../../../src/vm/volume/content/wipe-volume.ts";
import { deleteVolume } from "../../../src/vm/volume/delete-volume.ts";
import { findVolume } from "../../../src/vm/volume/find-volume.ts";
import { listPoolVolumes, listPoolVolumesWithSizes } from "../../../src/vm/volume/list-volumes.ts";
import { resizeVolume } from "../../../src/vm/volume/resize-volume.ts";
import { showVolumeOf } from "../../../src/vm/volume/show-volume.ts";
import { DISK_LABEL } from "../../scenes/devices.ts";
import { recordOf } from "../../scenes/hotplug.ts";
import { EIGHT, machineWith, make } from "../../scenes/logical.ts";
import { domainXml, errorOf, labelOf, OTHER } from "../../scenes/scene.ts";

const MiB = 1024 * 1024;
const UNSUPPORTED = "this function is not supported by the connection driver:";

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
    expect(await listPoolVolumes(node, "lv")).toMatchObject(
      ["a-1", "small", "snap", "sparse"].map((name) => ({ name, path: `/dev/vg-0/${name}`, type: "block" })),
    );
    expect((await listPoolVolumesWithSizes(node, "lv")).find(({ name }) => name === "sparse")).toMatchObject({
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
    const shown = formatVolume(await showVolumeOf(node, "snap", "lv"));
    const { key } = await findVolume(node, "snap", "lv");
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
      expect(await findVolume(node, word)).toMatchObject({ name: "snap", key });
    // Not active, so without a node.
    expect((await listPoolVolumes(node, "lv")).map(({ name }) => name)).toEqual(["one", "snap"]);
    expect((await errorOf(make(node, "hidden"))).libvirt.name).toBe("VIR_ERR_STORAGE_VOL_EXIST");
  });

  test("is labelled at its node for a guest, and restored at the guest's end", async () => {
    const { machine, node } = await machineWith();
    await make(node, "one");
    const disks = "<disk type='volume'><source pool='lv' volume='one'/><target dev='vda'/></disk>";
    await startDomain(node, domainXml({ disks }));
    const path = (await findVolume(node, "one", "lv")).facts.id.path;
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
    expect((await listPoolVolumes(node, "lv")).map(({ name }) => name)).toEqual(["one"]);
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
