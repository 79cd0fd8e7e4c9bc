import { describe, expect, test } from "bun:test";
import { listErrors, SvirtError } from "../../../src/errors.ts";
import { convertImage } from "../../../src/images/conversion/convert-image.ts";
import { formatNewImage } from "../../../src/images/new-qcow2.ts";
import { volumeLock } from "../../../src/plan/paths.ts";
import { createPool, destroyPool, startPool } from "../../../src/vm/pool/start-pool.ts";
import { cloneVolume, createVolumeFromVolume } from "../../../src/vm/volume/copy-volume.ts";
import { listPoolVolumes } from "../../../src/vm/volume/list-volumes.ts";
import { sourceOf } from "../../memory-host/converted-bytes.ts";
import { bytesOf, EIGHT, machineWith, make } from "../../scenes/logical.ts";
import { poolXml } from "../../scenes/pools.ts";
import { errorOf } from "../../scenes/scene.ts";

const MiB = 1024 * 1024;
/** Name of a volume that does not have its data yet. */
const PART = /[.]svirt-[0-9a-f-]{36}[.]volume/;

describe("the data of a logical volume", () => {
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
    const parts = lvm.run.map((line) => line.replace(PART, "PART"));
    expect(parts).toEqual(
      ["one", "two"].flatMap((name) => [
        "lvcreate --name PART -L 8192K vg-0 --yes",
        `lvrename vg-0 PART ${name}`,
      ]),
    );
  });

  test("gets the guest's data of a qcow2 image, and of those below it only if its format is declared", async () => {
    const { machine, node } = await machineWith();
    await createPool(node, poolXml("/srv/images", { name: "images" }), { isBuilt: true });
    machine.files.put("/srv/images/base", "file", { mode: 0o600, bytes: new Uint8Array(MiB).fill(1) });
    const disk = new Uint8Array(12 * MiB).fill(7, 5000, 6000);
    const made = { formats: ["raw"], format: "qcow2", sizeBytes: disk.length, options: {} } as const;
    const image = new Uint8Array(2 * MiB);
    for (const { bytes, offset } of convertImage([sourceOf(disk)], made)) image.set(bytes, offset);
    machine.files.put("/srv/images/q", "file", { mode: 0o600, bytes: image });
    const backing = { path: "/srv/images/base", format: "raw" } as const;
    const top = formatNewImage({ format: "qcow2", sizeBytes: MiB, options: {}, backing });
    machine.files.put("/srv/images/top", "file", { mode: 0o600, bytes: top });
    const copy = (name: string, key: string, format?: "qcow2") =>
      createVolumeFromVolume(node, "lv", {
        ...{ bytes: bytesOf(name, ""), source: { key, pool: "images", format }, flags: { isReflink: false } },
      });
    await copy("one", "q");
    const one = machine.files.get("/dev/vg-0/one").bytes;
    expect([one.length, Bun.hash(one)]).toEqual([disk.length, Bun.hash(disk)]);
    expect((await errorOf(copy("two", "top"))).message).toContain("its header names a backing file");
    await copy("two", "top", "qcow2");
    const two = machine.files.get("/dev/vg-0/two").bytes;
    expect([two[MiB - 1], two[MiB], two.length]).toEqual([1, 0, 4 * MiB]);
    expect((await listPoolVolumes(node, "lv")).map(({ name }) => name)).toEqual(["one", "two"]);
  });

  // virStorageBackendCreateBlockFrom() of libvirt
  test("gets no data with --prealloc-metadata, in libvirt's words, nor with --reflink", async () => {
    const { lvm, node } = await machineWith();
    await make(node, "one");
    lvm.run.length = 0;
    const errors = [{ isReflink: false, isMetadataPreallocated: true }, { isReflink: true }].map((flags) =>
      errorOf(cloneVolume(node, "two", { source: { key: "one", pool: "lv" }, flags })),
    );
    expect((await Promise.all(errors)).map(({ message }) => message)).toEqual([
      expect.stringContaining("metadata preallocation is not supported for block volumes"),
      "Cannot create the volume: a device shares no data with another volume",
    ]);
    expect(lvm.run).toEqual([]);
  });

  test("without its data is no volume, and is removed by the next call unless it is being made", async () => {
    const { lvm, node } = await machineWith();
    const [left, current] = [1, 2].map((one) => `.svirt-dddddddd-0000-4000-8000-00000000000${one}.volume`);
    await make(node, "one");
    for (const name of [left, current]) {
      lvm.addVolume("vg-0", { name: name ?? "" });
    }
    const unlock = await node.host.lock(volumeLock(node.paths, current ?? ""), 0);
    await destroyPool(node, "lv");
    await startPool(node, "lv", { isBuilt: false });
    expect((await listPoolVolumes(node, "lv")).map(({ name }) => name)).toEqual(["one"]);
    expect((await errorOf(make(node, left ?? ""))).place).toBe("/volume/name");
    lvm.run.length = 0;
    await make(node, "two");
    expect(lvm.run).toEqual([`lvremove -f vg-0/${left}`, "lvcreate --name two -L 8192K vg-0 --yes"]);
    unlock();
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
    const { lvm, machine, node } = await machineWith();
    await make(node, "old");
    const old = machine.files.get("/dev/vg-0/old");
    old.bytes[0] = 1;
    const device = machine.files.find("/dev/vg-0/old", false)?.inode.target ?? "";
    const run = machine.runProgram;
    machine.runProgram = (words, input) => {
      const end = run(words, input);
      const [part = ""] = PART.exec(words.join(" ")) ?? [];
      if (words.includes("lvcreate")) machine.files.put(`/dev/vg-0/${part}`, "symlink", { target: device });
      return end;
    };
    const clone = cloneVolume(node, "new", {
      source: { key: "old", pool: "lv" },
      flags: { isReflink: false },
    });
    expect((await errorOf(clone)).message.replace(PART, "PART")).toBe(
      "cannot open volume '/dev/vg-0/PART': No such file or directory",
    );
    expect([old.bytes[0], old.uid]).toEqual([1, 0]);
    expect(lvm.groups.get("vg-0")?.volumes.map(({ name }) => name)).toEqual(["old"]);
  });

  test("is removed after a copy that failed, or by the next call if LVM keeps it", async () => {
    const { lvm, node } = await machineWith();
    await make(node, "one");
    const { host } = node;
    const full: typeof node = {
      ...node,
      host: {
        ...host,
        copyToDevice() {
          throw new SvirtError("Cannot copy: no space", { kind: "failed", remedy: "Wait." });
        },
      },
    };
    const clone = () =>
      cloneVolume(full, "two", { source: { key: "one", pool: "lv" }, flags: { isReflink: false } });
    const names = () => lvm.groups.get("vg-0")?.volumes.map(({ name }) => name.replace(PART, "PART"));
    expect((await errorOf(clone())).message).toBe("Cannot copy: no space");
    expect(names()).toEqual(["one"]);
    const inUse = "  Logical volume vg-0/x in use.";
    lvm.failing = { start: "lvremove", end: { code: 5, errors: inUse } };
    expect([(await errorOf(clone())).message, names()]).toEqual(["Cannot copy: no space", ["one", "PART"]]);
    await make(node, "three");
    expect(names()).toEqual(["one", "three"]);
  });

  test("that LVM could not make is reported by a single error", async () => {
    const { lvm, node } = await machineWith();
    await make(node, "one");
    lvm.failing = { start: "lvcreate", end: { code: 5, errors: "  Insufficient free space\n" } };
    const clone = cloneVolume(node, "two", {
      source: { key: "one", pool: "lv" },
      flags: { isReflink: false },
    });
    const thrown: unknown = await clone.catch((error: unknown) => error);
    expect(listErrors(thrown).map(({ message }) => message)).toEqual([
      "Cannot create the volume vg-0/two: Insufficient free space",
    ]);
  });

  test("stays if its call gives it its name between the list and the look at its lock", async () => {
    const { lvm, machine, node } = await machineWith();
    const part = ".svirt-dddddddd-0000-4000-8000-000000000003.volume";
    lvm.addVolume("vg-0", { name: part });
    const read = machine.readOutput;
    machine.readOutput = (...words) => {
      const output = read(...words);
      const volume = lvm.groups.get("vg-0")?.volumes.find(({ name }) => name === part);
      if (words[0].includes("lvs") && volume !== undefined) volume.name = "copy";
      return output;
    };
    await make(node, "one");
    expect(lvm.groups.get("vg-0")?.volumes.map(({ name }) => name)).toEqual(["copy", "one"]);
  });
});
