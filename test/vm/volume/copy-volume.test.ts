import { describe, expect, test } from "bun:test";
import { formatNewImage, type NewImage } from "../../../src/images/new-qcow2.ts";
import { formatSteps } from "../../../src/plan/steps/describe.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { cloneVolume, createVolumeFromVolume, planClone } from "../../../src/vm/volume/copy-volume.ts";
import { resizeVolume } from "../../../src/vm/volume/resize-volume.ts";
import { showVolume } from "../../../src/vm/volume/show-volume.ts";
import { qcow2Bytes } from "../../images/qcow2-bytes.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { diskXml, domainXml, errorOf, labelOf, nodeOn, OTHER } from "../../scenes/scene.ts";
import { activatePool, IMAGES, makePoolMachine } from "../../scenes/volumes.ts";

const PLAIN = { isReflink: false };
const QCOW2 = "<target><format type='qcow2'/></target>";
const backing = (name: string): string =>
  `<backingStore><path>${IMAGES}/${name}</path><format type='raw'/></backingStore>`;
const RAW = [[0xe2792aca, "raw"]] as const;

const clone = (machine: Machine, key: string, name = "copy") =>
  cloneVolume(nodeOn(machine), name, { source: { key, pool: "images" }, flags: PLAIN });

const createFrom = (
  machine: Machine,
  key: string,
  { format, pool = "images", xml }: { format?: "raw" | "qcow2"; pool?: string; xml: string },
) =>
  createVolumeFromVolume(nodeOn(machine), pool, {
    bytes: new TextEncoder().encode(`<volume><name>copy</name>${xml}</volume>`),
    source: { key, pool: "images", format },
    flags: PLAIN,
  });

const resize = (machine: Machine, key: string, capacityBytes: number) =>
  resizeVolume(
    nodeOn(machine),
    { key, pool: "images" },
    { capacityBytes, isDelta: false, isShrunk: false, isAllocated: false },
  );

/** Expects a refusal after which the machine is as it was. Returns its exit code and message. */
async function refusal(machine: Machine, work: () => Promise<unknown>): Promise<readonly unknown[]> {
  const before = snapshot(machine);
  const error = await errorOf(work());
  expect(snapshot(machine)).toEqual(before);
  return [error.exitCode, error.message];
}

describe("planClone()", () => {
  test("names the source, the owner and the label of the copy, and changes nothing", async () => {
    const machine = makePoolMachine();
    const before = snapshot(machine);
    const asked = { source: { key: "private1.raw", pool: "images" }, flags: PLAIN };
    const { steps } = await planClone(nodeOn(machine), "copy", asked);
    expect(snapshot(machine)).toEqual(before);
    expect(formatSteps(steps)).toBe(
      `  1  create ${IMAGES}/copy with the data of ${IMAGES}/private1.raw (raw, 4096 bytes, mode 600, uid 0, gid 0, default label)\n`,
    );
  });

  test("refuses a name that is taken, as the clone does", async () => {
    const machine = makePoolMachine();
    const asked = { source: { key: "private1.raw", pool: "images" }, flags: PLAIN };
    expect(await errorOf(planClone(nodeOn(machine), "private2.raw", asked))).toEqual(
      await errorOf(clone(machine, "private1.raw", "private2.raw")),
    );
  });
});

describe("cloneVolume()", () => {
  test("copies data, owner and mode beside the source, and not its label", async () => {
    const machine = makePoolMachine();
    const source = machine.files.get(`${IMAGES}/private1.raw`);
    source.bytes.fill(7);
    [source.mode, source.uid, source.gid] = [0o640, 107, 36];
    source.xattrs.set("security.selinux", "system_u:object_r:svirt_image_t:s0:c1,c2");
    expect(await clone(machine, "private1.raw")).toEqual({
      name: "copy",
      path: `${IMAGES}/copy`,
      source: "private1.raw",
    });
    const { bytes, gid, mode, uid } = machine.files.get(`${IMAGES}/copy`);
    expect([bytes, mode, uid, gid]).toEqual([source.bytes, 0o640, 107, 36]);
    expect(labelOf(machine, `${IMAGES}/copy`)).toBe("system_u:object_r:xen_image_t:s0");
  });

  test("copies an image with its backing file", async () => {
    const machine = makePoolMachine();
    await clone(machine, "top.qcow2");
    expect(machine.files.get(`${IMAGES}/copy`).bytes).toEqual(machine.files.get(`${IMAGES}/top.qcow2`).bytes);
  });

  test("refuses the disk of a running guest, with the guest's name", async () => {
    const machine = makePoolMachine();
    await startDomain(nodeOn(machine), domainXml({ disks: diskXml(`${IMAGES}/private1.raw`, "vda") }));
    expect(await refusal(machine, () => clone(machine, "private1.raw"))).toEqual([
      5,
      `Cannot copy ${IMAGES}/private1.raw: the guest vm1 uses that file`,
    ]);
  });

  test("refuses a name that exists, and one that is no file's", async () => {
    const machine = makePoolMachine();
    expect(await refusal(machine, () => clone(machine, "private1.raw", "base.raw"))).toEqual([
      5,
      "storage volume 'base.raw' exists already",
    ]);
    expect((await refusal(machine, () => clone(machine, "private1.raw", "../copy")))[0]).not.toBe(0);
  });

  test("refuses an image whose data is in another file, which both would write", async () => {
    const machine = makePoolMachine();
    machine.files.put(`${IMAGES}/tables.qcow2`, "file", {
      bytes: qcow2Bytes({ features: 4n, extensions: [[0x44415441, "data.raw"]] }),
    });
    expect(await refusal(machine, () => clone(machine, "tables.qcow2"))).toEqual([
      2,
      "Cannot copy the volume: its data is in another file",
    ]);
  });
});

describe("createVolumeFromVolume()", () => {
  test("makes a raw volume larger than its source", async () => {
    const machine = makePoolMachine();
    await createFrom(machine, "base.raw", { xml: "<capacity>8192</capacity>" });
    expect(machine.files.get(`${IMAGES}/copy`).bytes.length).toBe(8192);
    expect((await refusal(machine, () => resize(machine, "copy", 4096)))[0]).toBe(2);
  });

  test("does not make it smaller, as libvirt does not", async () => {
    const machine = makePoolMachine();
    await createFrom(machine, "base.raw", { xml: "<capacity>1</capacity>" });
    expect(machine.files.get(`${IMAGES}/copy`).bytes.length).toBe(4096);
  });

  test("refuses to move an image from the folder to which its backing file's name is relative", async () => {
    const machine = makePoolMachine();
    activatePool(nodeOn(machine), { name: "other", folder: "/srv", uuid: OTHER });
    const xml =
      "<target><format type='qcow2'/></target>" +
      `<backingStore><path>${IMAGES}/base.raw</path><format type='raw'/></backingStore>`;
    expect(await refusal(machine, () => createFrom(machine, "top.qcow2", { xml, pool: "other" }))).toEqual([
      2,
      "Cannot copy the volume: it names its backing file relative to its folder",
    ]);
    machine.files.get(`${IMAGES}/top.qcow2`).bytes = qcow2Bytes({
      backingFile: `${IMAGES}/base.raw`,
      extensions: RAW,
    });
    expect(await createFrom(machine, "top.qcow2", { xml, pool: "other" })).toMatchObject({
      path: "/srv/copy",
    });
  });

  test.each([
    ["another backing file", "top.qcow2", `${QCOW2}${backing("private1.raw")}`, "backingStore"],
    ["a backing file for a raw source", "base.raw", `${QCOW2}${backing("private1.raw")}`, "backingStore"],
    [
      "another capacity with the backing file",
      "top.qcow2",
      `<capacity unit='GiB'>1</capacity>${QCOW2}${backing("base.raw")}`,
      "backingStore",
    ],
    [
      "a format that svirt does not write",
      "base.raw",
      "<target><format type='vmdk'/></target>",
      "target/format",
    ],
  ])("refuses %s, with the place", async (_, ...[key, xml, place]) => {
    const machine = makePoolMachine();
    expect(await refusal(machine, () => createFrom(machine, key, { xml }))).toEqual([
      2,
      expect.stringContaining(`/volume/${place}: `),
    ]);
  });
});

describe("resizeVolume()", () => {
  test("grows a raw volume, also that of a defined domain and one below another", async () => {
    const machine = makePoolMachine();
    await defineDomain(nodeOn(machine), domainXml({ disks: diskXml(`${IMAGES}/private1.raw`, "vda") }));
    for (const name of ["private1.raw", "base.raw"]) {
      expect(await resize(machine, name, 8192)).toBe(name);
      expect(machine.files.get(`${IMAGES}/${name}`).bytes.length).toBe(8192);
    }
  });

  test("refuses the disk of a running guest", async () => {
    const machine = makePoolMachine();
    await startDomain(nodeOn(machine), domainXml({ disks: diskXml(`${IMAGES}/private1.raw`, "vda") }));
    expect(await refusal(machine, () => resize(machine, "private1.raw", 8192))).toEqual([
      5,
      `Cannot resize ${IMAGES}/private1.raw: the guest vm1 uses that file`,
    ]);
  });

  const putNew = (machine: Machine, image: Partial<NewImage>): void => {
    const bytes = formatNewImage({ format: "qcow2", sizeBytes: 2 ** 20, ...image });
    machine.files.put(`${IMAGES}/q.qcow2`, "file", { mode: 0o600, bytes });
  };
  const capacityOf = (machine: Machine) => showVolume(nodeOn(machine), `${IMAGES}/q.qcow2`).capacityBytes;

  test("grows a qcow2 volume, in sectors as qemu-img, and also one with a smaller backing file", async () => {
    const machine = makePoolMachine();
    for (const backing of [undefined, { path: `${IMAGES}/base.raw`, format: "raw" }]) {
      putNew(machine, { backing });
      await resize(machine, "q.qcow2", 2 ** 40 + 1);
      expect(capacityOf(machine)).toBe(2 ** 40 + 512);
    }
  });

  test("refuses to grow a qcow2 volume that would show data of its backing file", async () => {
    const machine = makePoolMachine();
    putNew(machine, { backing: { path: `${IMAGES}/base.raw`, format: "raw" }, sizeBytes: 512 });
    expect(await refusal(machine, () => resize(machine, "q.qcow2", 2 ** 20))).toEqual([
      2,
      `Cannot resize ${IMAGES}/q.qcow2: its backing file ${IMAGES}/base.raw is larger, and its data would show in the new part`,
    ]);
  });

  test("refuses an image with another header", async () => {
    const machine = makePoolMachine();
    machine.files.get(`${IMAGES}/private1.raw`).bytes.set(new TextEncoder().encode("KDMV\x01\0\0\0"));
    expect(await refusal(machine, () => resize(machine, "private1.raw", 2 ** 40))).toEqual([
      2,
      "Cannot resize the volume 'private1.raw': it is vmdk, and svirt resizes raw and qcow2 volumes only",
    ]);
  });
});
