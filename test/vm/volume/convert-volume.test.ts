import { describe, expect, test } from "bun:test";
import { convertImage } from "../../../src/images/conversion/convert-image.ts";
import { formatNewImage } from "../../../src/images/new-qcow2.ts";
import type { Qcow2Options } from "../../../src/images/qcow2-features.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { createVolumeFromVolume } from "../../../src/vm/volume/copy-volume.ts";
import { createVolume } from "../../../src/vm/volume/create-volume.ts";
import { showVolume } from "../../../src/vm/volume/show-volume.ts";
import { sourceOf } from "../../memory-host/converted-bytes.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { diskXml, domainXml, errorOf, labelOf, nodeOn } from "../../scenes/scene.ts";
import { IMAGES, makePoolMachine, volumeWith } from "../../scenes/volumes.ts";

const MIB = 2 ** 20;

interface Asked {
  readonly xml?: string;
  readonly format?: "raw" | "qcow2";
  readonly isReflink?: boolean;
  readonly isMetadataPreallocated?: boolean;
}

/** Creates the volume copy from another one. */
const createFrom = (machine: Machine, key: string, { format, xml = "", ...flags }: Asked) =>
  createVolumeFromVolume(nodeOn(machine), "images", {
    bytes: new TextEncoder().encode(`<volume><name>copy</name>${xml}</volume>`),
    source: { key, pool: "images", format },
    flags: { isReflink: false, ...flags },
  });

const qcow2 = (more = ""): string => `<target><format type='qcow2'/>${more}</target>`;
const bytesOf = (machine: Machine, name: string): Uint8Array => machine.files.get(`${IMAGES}/${name}`).bytes;

/** Returns a machine with the raw volume a.raw of a megabyte and its qcow2 image a.qcow2. */
async function machineWith(options: Qcow2Options = {}): Promise<Machine> {
  const machine = makePoolMachine();
  const raw = new Uint8Array(MIB);
  raw.fill(7, 100_000, 300_000);
  const image = { formats: ["raw"], format: "qcow2", sizeBytes: MIB, options } as const;
  const made = new Uint8Array(2 * MIB);
  for (const { bytes, offset } of convertImage([sourceOf(raw)], image)) made.set(bytes, offset);
  machine.files.put(`${IMAGES}/a.raw`, "file", { mode: 0o600, bytes: raw });
  machine.files.put(`${IMAGES}/a.qcow2`, "file", { mode: 0o600, bytes: made });
  return machine;
}

/** Expects a refusal after which the machine is as it was. Returns the message. */
async function refusal(machine: Machine, key: string, asked: Asked): Promise<string> {
  const before = snapshot(machine);
  const error = await errorOf(createFrom(machine, key, asked));
  expect(snapshot(machine)).toEqual(before);
  return error.message;
}

/** Makes a qcow2 volume above a.raw. */
async function makeTop(machine: Machine, below = `${IMAGES}/a.raw`): Promise<void> {
  const volume = volumeWith(
    "<format type='qcow2'/>",
    `<capacity>0</capacity><backingStore><path>${below}</path><format type='raw'/></backingStore>`,
  );
  await createVolume(nodeOn(machine), IMAGES, { volume: { ...volume, name: "top" } });
}

describe("createVolumeFromVolume() converts", () => {
  test("raw to qcow2 and back, with the owner, mode and label of a new volume", async () => {
    const machine = await machineWith();
    const permissions = "<permissions><mode>0640</mode><owner>107</owner><group>36</group></permissions>";
    expect(await createFrom(machine, "a.raw", { xml: qcow2(permissions) })).toEqual({
      name: "copy",
      path: `${IMAGES}/copy`,
      source: "a.raw",
    });
    const { gid, mode, uid } = machine.files.get(`${IMAGES}/copy`);
    expect([mode, uid, gid, labelOf(machine, `${IMAGES}/copy`)]).toEqual([
      0o640,
      107,
      36,
      "system_u:object_r:xen_image_t:s0",
    ]);
    machine.files.put(`${IMAGES}/b.qcow2`, "file", { mode: 0o600, bytes: bytesOf(machine, "copy") });
    machine.files.remove(`${IMAGES}/copy`);
    await createFrom(machine, "b.qcow2", {});
    expect(bytesOf(machine, "copy")).toEqual(bytesOf(machine, "a.raw"));
  });

  test("qcow2 to qcow2 with other properties, and keeps those that the document leaves out", async () => {
    const machine = await machineWith({ lazyRefcounts: true });
    await createFrom(machine, "a.qcow2", {
      xml: `<capacity>2000001</capacity>${qcow2("<clusterSize>4096</clusterSize>")}`,
    });
    expect(showVolume(nodeOn(machine), `${IMAGES}/copy`)).toMatchObject({
      capacityBytes: 2_000_384,
      target: {
        format: { type: "qcow2" },
        compat: "1.1",
        clusterBytes: 4096,
        features: { lazyRefcounts: true, extendedL2: false },
      },
    });
  });

  test("an image with a backing file to one without, if its format is declared", async () => {
    const machine = await machineWith();
    await makeTop(machine);
    for (const xml of [qcow2(), ""])
      expect(await refusal(machine, "top", { xml })).toBe(
        `Cannot copy ${IMAGES}/top: its header names a backing file, and a guest may have written it`,
      );
    await createFrom(machine, "top", { format: "qcow2" });
    expect(bytesOf(machine, "copy")).toEqual(bytesOf(machine, "a.raw"));
  });

  test("a volume that is declared raw, though its first bytes are a header", async () => {
    const machine = await machineWith();
    await makeTop(machine);
    await createFrom(machine, "top", { format: "raw" });
    expect(bytesOf(machine, "copy")).toEqual(bytesOf(machine, "top"));
    expect(await refusal(machine, "a.raw", { format: "qcow2", xml: qcow2() })).toBe(
      `Cannot copy ${IMAGES}/a.raw: its format is raw`,
    );
  });
});

describe("createVolumeFromVolume() refuses to convert", () => {
  test("an image above a file that is no volume of an active pool", async () => {
    const machine = await machineWith();
    machine.files.put("/srv/secret", "file", { bytes: new Uint8Array(512).fill(1) });
    await makeTop(machine, "/srv/secret");
    expect(await refusal(machine, "top", { format: "qcow2" })).toBe(
      `Cannot copy ${IMAGES}/top: /srv/secret below it is no volume of an active pool`,
    );
  });

  test("an image of an undeclared format without a look at the files that its header names", async () => {
    const machine = await machineWith();
    machine.files.put("/srv/gone", "file", { bytes: new Uint8Array(512) });
    await makeTop(machine, "/srv/gone");
    machine.files.remove("/srv/gone");
    expect(await refusal(machine, "top", {})).toContain("its header names a backing file, and a guest may");
  });

  test("the disk of a running guest", async () => {
    const machine = await machineWith();
    await startDomain(nodeOn(machine), domainXml({ disks: diskXml(`${IMAGES}/a.raw`, "vda") }));
    expect(await refusal(machine, "a.raw", { xml: qcow2() })).toBe(
      `Cannot copy ${IMAGES}/a.raw: the guest vm1 uses that file`,
    );
  });

  test("with --reflink, with --prealloc-metadata, and to options that contradict each other", async () => {
    const machine = await machineWith({ extendedL2: true });
    expect(await refusal(machine, "a.raw", { xml: qcow2(), isReflink: true })).toContain("shares no data");
    expect(await refusal(machine, "a.raw", { xml: qcow2(), isMetadataPreallocated: true })).toContain(
      "has tables for its data only",
    );
    expect(await refusal(machine, "a.qcow2", { xml: qcow2("<compat>0.10</compat>") })).toContain(
      "not supported with compat level 0.10",
    );
  });

  test.each([
    ["damaged tables", (view: DataView) => view.setBigUint64(40, 513n), "its tables are at 513"],
    ["encrypted data", (view: DataView) => view.setUint32(32, 2), "the source is encrypted"],
  ])("an image with %s", async (_, change, why) => {
    const machine = await machineWith();
    change(new DataView(bytesOf(machine, "a.qcow2").buffer));
    expect(await refusal(machine, "a.qcow2", {})).toContain(why);
  });

  test("an image of a format that svirt does not read", async () => {
    const machine = await machineWith();
    bytesOf(machine, "a.raw").set(new TextEncoder().encode("KDMV\x01\0\0\0"));
    expect(await refusal(machine, "a.raw", { xml: qcow2() })).toContain(
      "/volume/target/format: the source is vmdk, and svirt converts raw and qcow2 images only",
    );
  });
});

test("a qcow2 volume that is requested as its source is gets its bytes", async () => {
  const machine = makePoolMachine();
  const bytes = formatNewImage({ format: "qcow2", sizeBytes: MIB, options: { clusterBytes: 512 } });
  machine.files.put(`${IMAGES}/a.qcow2`, "file", { mode: 0o600, bytes });
  await createFrom(machine, "a.qcow2", { xml: qcow2() });
  expect(bytesOf(machine, "copy")).toEqual(bytes);
});
