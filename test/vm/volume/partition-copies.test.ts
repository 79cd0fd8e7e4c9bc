import { describe, expect, test } from "bun:test";
import { convertImage } from "../../../src/images/conversion/convert-image.ts";
import { registryOf } from "../../../src/state/instance.ts";
import { createPool } from "../../../src/vm/pool/start-pool.ts";
import { cloneVolume, createVolumeFromVolume } from "../../../src/vm/volume/copy-volume.ts";
import { createVolumeFrom } from "../../../src/vm/volume/create-volume.ts";
import { listPoolVolumes } from "../../../src/vm/volume/list-volumes.ts";
import { sourceOf } from "../../memory-host/converted-bytes.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { sampleOf } from "../../sample.ts";
import { makeDevicePools } from "../../scenes/devices.ts";
import { MemorySfdisk } from "../../scenes/partitioner.ts";
import { poolXml } from "../../scenes/pools.ts";
import { errorOf, nodeOn, OTHER, putText } from "../../scenes/scene.ts";
import { beStruck, instantsOf, type Work } from "../../scenes/strikes.ts";

const MiB = 1024 * 1024;
const FLAGS = { isReflink: false };
const DISK_BYTES = 16 * MiB;
/** Guest's data of the image that is converted. */
const DATA = new Uint8Array(3 * MiB).fill(9, 70_000, 80_000);

/**
 * Returns a machine with the active pool `disk` on sda, full of other data, and one of the images raw and
 * qcow2.
 */
async function prepare(): Promise<Machine> {
  const machine = makeDevicePools();
  const sectors = new TextEncoder().encode(`${DISK_BYTES / 512}\n`);
  machine.files.put("/sys/devices/sda/size", "file", { bytes: sectors });
  machine.files.get("/dev/sda").bytes = new Uint8Array(DISK_BYTES).fill(0xff);
  new MemorySfdisk(machine);
  await createPool(nodeOn(machine), poolXml("/srv/images", { name: "images" }), { isBuilt: true });
  machine.files.put("/srv/images/raw", "file", { mode: 0o600, bytes: new TextEncoder().encode("data") });
  const made = { formats: ["raw"], format: "qcow2", sizeBytes: DATA.length, options: {} } as const;
  const image = new Uint8Array(MiB);
  for (const { bytes, offset } of convertImage([sourceOf(DATA)], made)) image.set(bytes, offset);
  machine.files.put("/srv/images/qcow2", "file", { mode: 0o600, bytes: image });
  return machine;
}

const copy =
  (key: string, name = "sda2"): Work =>
  (node) =>
    createVolumeFromVolume(node, "disk", {
      bytes: new TextEncoder().encode(
        `<volume><name>${name}</name><capacity unit='MiB'>4</capacity></volume>`,
      ),
      source: { key, pool: "images" },
      flags: FLAGS,
    });

/** Gives the disk sda the other path sdj (8:144). */
function giveOtherPath(machine: Machine): void {
  for (const folder of ["/sys/dev/block/8:0", "/sys/block/sdj"]) {
    machine.files.putFolder(`${folder}/device`);
    putText(machine, `${folder}/device/wwid`, "naa.600140512345678901234567890abcde\n");
  }
  putText(machine, "/sys/block/sdj/dev", "8:144\n");
}

const namesOn = async (machine: Machine): Promise<readonly string[]> =>
  (await listPoolVolumes(nodeOn(machine), "disk")).map(({ name }) => name);

describe("the data of a new partition", () => {
  test.each([
    ["raw", new TextEncoder().encode("data")],
    ["qcow2", DATA],
  ])("is that of a %s volume, and zeros behind it", async (key, data) => {
    const machine = await prepare();
    expect(await copy(key)(nodeOn(machine))).toEqual({ name: "sda2", path: "/dev/sda2", source: key });
    const expected = new Uint8Array(4 * MiB);
    expected.set(data);
    const made = machine.files.get("/dev/sda2").bytes;
    expect([made.length, Bun.hash(made)]).toEqual([expected.length, Bun.hash(expected)]);
  });

  test("is that of another partition, for the name that it gets", async () => {
    const machine = await prepare();
    const node = nodeOn(machine);
    const sectors = Number(new TextDecoder().decode(machine.files.get("/sys/devices/sda/sda1/size").bytes));
    machine.files.get("/dev/sda1").bytes = new Uint8Array(512 * sectors).fill(5);
    const clone = (name: string) =>
      cloneVolume(node, name, { source: { key: "sda1", pool: "disk" }, flags: FLAGS });
    // virStorageBackendDiskMakeDataVol() of libvirt
    expect((await errorOf(clone("new"))).message).toBe(
      "invalid argument: invalid partition name 'new', expected 'sda2'",
    );
    await clone("sda2");
    expect(machine.files.get("/dev/sda2").bytes).toEqual(machine.files.get("/dev/sda1").bytes);
  });

  test("is written while other partitions are in use, but not while a guest has the whole disk", async () => {
    const machine = await prepare();
    const node = nodeOn(machine);
    registryOf(node).reserve({ kind: "file", key: "device-8:1", sharing: "exclusive" }, OTHER);
    await copy("raw")(node);
    registryOf(node).reserve({ kind: "file", key: "device-8:0", sharing: "exclusive" }, OTHER);
    expect((await errorOf(Promise.resolve(copy("raw", "sda3")(node)))).kind).toBe("in-use");
  });

  test("is written while no guest can be started with the disk by its other path", async () => {
    const machine = await prepare();
    giveOtherPath(machine);
    machine.files.put("/dev/sdj", "block", { node: "8:144", bytes: new Uint8Array() });
    const { host, ...node } = nodeOn(machine);
    const locked: string[] = [];
    const copyToDevice: typeof host.copyToDevice = async (...words) => {
      locked.push(...machine.lockedImages);
      await host.copyToDevice(...words);
    };
    await copy("raw")({ ...node, host: { ...host, copyToDevice } });
    expect([locked, [...machine.lockedImages]]).toEqual([["device-8:144"], []]);
  });

  test.each([
    ["a guest has", "in-use", "device-8:144", undefined],
    ["the host uses", "wrong-state", undefined, "/sys/block/sdj/holders/md0"],
  ] as const)("is not written while %s the disk by its other path", async (...[, kind, claimed, holder]) => {
    const machine = await prepare();
    giveOtherPath(machine);
    if (claimed !== undefined)
      registryOf(nodeOn(machine)).reserve({ kind: "file", key: claimed, sharing: "exclusive" }, OTHER);
    if (holder !== undefined) machine.files.putFolder(holder);
    expect((await errorOf(Promise.resolve(copy("raw")(nodeOn(machine))))).kind).toBe(kind);
    expect(machine.files.get("/dev/sda").bytes.every((byte) => byte === 0xff)).toBe(true);
  });

  test("becomes no partition if another program has taken its place meanwhile", async () => {
    const machine = await prepare();
    const { host, ...node } = nodeOn(machine);
    const taken = {
      ...node,
      host: {
        ...host,
        async copyToDevice() {
          await host.runProgram(["/usr/sbin/sfdisk", "--append"], 1000, "/dev/sda3 : start=6144, size=2048");
        },
      },
    };
    expect((await errorOf(copy("raw")(taken) as Promise<unknown>)).message).toBe(
      "Cannot make the partition sda2: its place on the disk was taken meanwhile",
    );
    expect(await namesOn(machine)).toEqual(["sda1", "sda3", "sda5"]);
  });

  test("is not written by a restricted key", async () => {
    const machine = await prepare();
    const error = await errorOf(copy("raw")({ ...nodeOn(machine), isForKey: true }) as Promise<unknown>);
    expect([error.kind, await namesOn(machine)]).toEqual(["denied", ["sda1", "sda5"]]);
  });

  test.each(["crash", "fail"] as const)(
    "is all there, or there is no partition, after a %s at any call that changes something",
    async (how) => {
      const whole = await prepare();
      await copy("qcow2")(nodeOn(whole));
      const done = [...(await namesOn(whole)), Bun.hash(whole.files.get("/dev/sda2").bytes)];
      const instants = await instantsOf(prepare, copy("qcow2"));
      expect(instants.length).toBeGreaterThan(2);
      for (const strike of sampleOf(instants)) {
        const machine = await prepare();
        await beStruck(machine, copy("qcow2"), { ...strike, how });
        const place = `${strike.moment} call ${strike.at}`;
        if (!(await namesOn(machine)).includes("sda2")) {
          expect([place, await namesOn(machine)]).toEqual([place, ["sda1", "sda5"]]);
          await copy("qcow2")(nodeOn(machine));
        }
        expect([place, ...(await namesOn(machine)), Bun.hash(machine.files.get("/dev/sda2").bytes)]).toEqual([
          place,
          ...done,
        ]);
      }
    },
  );
});

test("a partition that is made while another one gets its data is behind that one", async () => {
  const machine = await prepare();
  const { host, ...node } = nodeOn(machine);
  const bytes = new TextEncoder().encode(
    "<volume><name>sda3</name><capacity unit='MiB'>1</capacity></volume>",
  );
  let other: Promise<unknown> | undefined;
  const during = {
    ...node,
    host: {
      ...host,
      async copyToDevice(...words: Parameters<typeof host.copyToDevice>) {
        other = createVolumeFrom(nodeOn(machine), "disk", { bytes, flags: {} });
        await host.copyToDevice(...words);
      },
    },
  };
  await copy("qcow2")(during);
  await other;
  expect(await namesOn(machine)).toEqual(["sda1", "sda2", "sda3", "sda5"]);
});
