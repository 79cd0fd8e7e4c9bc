import { describe, expect, test } from "bun:test";
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import type { Host } from "../../../src/host/host.ts";
import { partialVolume } from "../../../src/plan/partial-names.ts";
import type { Resize } from "../../../src/storage/volume/resized-volume.ts";
import { downloadVolume } from "../../../src/vm/volume/content/download-volume.ts";
import { cloneVolume } from "../../../src/vm/volume/copy-volume.ts";
import { createVolume } from "../../../src/vm/volume/create-volume.ts";
import { deleteVolume } from "../../../src/vm/volume/delete-volume.ts";
import { listPoolVolumes, listPoolVolumesWithSizes } from "../../../src/vm/volume/list-volumes.ts";
import { printVolume } from "../../../src/vm/volume/print-volume.ts";
import { resizeVolume } from "../../../src/vm/volume/resize-volume.ts";
import { RealFolder } from "../../real-host/folder.ts";
import { givenNode } from "../../real-host/given-node.ts";
import { errorOf, OTHER } from "../../scenes/scene.ts";
import { activatePool, volumeWith } from "../../scenes/volumes.ts";

const MIB = 1024 * 1024;
const isRoot = process.getuid?.() === 0;
const skipped = isRoot ? "" : " (skipped: only root sets other owners)";

/** A folder with images, which is an active pool. */
function makePool(folder: RealFolder) {
  const images = `${folder.path}/images`;
  mkdirSync(images);
  const node = givenNode(folder.path, "s0");
  activatePool(node, { name: "real", folder: images, uuid: OTHER });
  return { images, node };
}

describe("on a real file system", () => {
  test("a raw volume is allocated or sparse, as it is requested", async () => {
    using folder = new RealFolder();
    const { images, node } = makePool(folder);
    const allocated = async (around: string) => {
      const path = await createVolume(node, images, { volume: volumeWith("", around) });
      const { blocks, mode, size } = lstatSync(path);
      await deleteVolume(node, { key: path, pool: "real" });
      return [size, blocks * 512, mode & 0o7777];
    };
    expect(await allocated("")).toEqual([4 * MIB, 4 * MIB, 0o600]);
    expect(await allocated("<allocation>0</allocation>")).toEqual([4 * MIB, 0, 0o600]);
    expect(await allocated("<allocation unit='MiB'>1</allocation>")).toEqual([4 * MIB, MIB, 0o600]);
    expect(readdirSync(images)).toEqual([]);
  });

  test("the tables of a qcow2 volume are preallocated, with its disk space or without", async () => {
    using folder = new RealFolder();
    const { images, node } = makePool(folder);
    const make = async (around: string) => {
      const volume = volumeWith("<format type='qcow2'/>", around);
      const path = await createVolume(node, images, { volume, flags: { isMetadataPreallocated: true } });
      const { blocks, size } = lstatSync(path);
      const check = Bun.which("qemu-img") === null ? 0 : Bun.spawnSync(["qemu-img", "check", path]).exitCode;
      await deleteVolume(node, { key: path, pool: "real" });
      return [check, size, blocks * 512 > 4 * MIB];
    };
    const fileBytes = 4 * MIB + 5 * 64 * 1024;
    expect(await make("")).toEqual([0, fileBytes, true]);
    expect(await make("<allocation>0</allocation>")).toEqual([0, fileBytes, false]);
  });

  test.skipIf(!isRoot)(`a volume has its owner, group and mode${skipped}`, async () => {
    using folder = new RealFolder();
    const { images, node } = makePool(folder);
    const asked = "<permissions><mode>0640</mode><owner>107</owner><group>36</group></permissions>";
    const { gid, mode, uid } = lstatSync(await createVolume(node, images, { volume: volumeWith(asked) }));
    expect([mode & 0o7777, uid, gid]).toEqual([0o640, 107, 36]);
  });

  test("a name that exists is never replaced, though it is a symlink to nothing", async () => {
    using folder = new RealFolder();
    const { images, node } = makePool(folder);
    symlinkSync(`${folder.path}/victim`, `${images}/new.img`);
    const error = await errorOf(createVolume(node, images, { volume: volumeWith("") }));
    expect([error.kind, existsSync(`${folder.path}/victim`), readdirSync(images)]).toEqual([
      "host-call",
      false,
      ["new.img"],
    ]);
  });

  test("a download to the folder removes what an interrupted one left, and nothing else", async () => {
    using folder = new RealFolder();
    const { images, node } = makePool(folder);
    writeFileSync(`${images}/${partialVolume(OTHER)}`, "rest");
    writeFileSync(`${images}/.svirt-disk.new`, "of another command");
    expect(await listPoolVolumes(node, "real")).toEqual([]);
    writeFileSync(`${images}/a.raw`, "data");
    const part = { offset: 0, mostBytes: undefined, isSparse: false };
    await downloadVolume(node, { key: "a.raw", pool: "real" }, { file: `${images}/copy`, part });
    expect(readdirSync(images).sort()).toEqual([".svirt-disk.new", "a.raw", "copy"]);
  });

  test("of many creations of one name at once, one succeeds", async () => {
    using folder = new RealFolder();
    const { images, node } = makePool(folder);
    const all = await Promise.allSettled(
      Array.from({ length: 6 }, () => createVolume(node, images, { volume: volumeWith("") })),
    );
    expect(all.filter(({ status }) => status === "fulfilled").length).toBe(1);
    expect(readdirSync(images)).toEqual(["new.img"]);
  });

  test("the calls for a list are proportional to its volumes, also for 10,000", async () => {
    using folder = new RealFolder();
    const { images, node } = makePool(folder);
    const facts = { type: "file", sizeBytes: 4096, allocatedBytes: 4096 } as const;
    const at = (path: string) => ({
      id: { path, device: "8:1", inode: path.replaceAll(/\D/g, "") },
      ...facts,
    });
    const callsFor = async (count: number) => {
      let calls = 0;
      const host: Host = {
        ...node.host,
        listFolder: (path) =>
          path === images ? Array.from({ length: count }, (_, n) => `${n}.raw`) : node.host.listFolder(path),
        inspectFile(path) {
          if (!path.startsWith(`${images}/`)) return node.host.inspectFile(path);
          calls += 1;
          return {
            ...at(path),
            modifiedMs: 0,
            times: { accessedNs: 0n, modifiedNs: 0n, changedNs: 0n },
            uid: 0,
            gid: 0,
            mode: 0o600,
          };
        },
        readBytes(_, __, length) {
          calls += 1;
          return new Uint8Array(Math.min(length, 512));
        },
      };
      expect((await listPoolVolumesWithSizes({ ...node, host }, "real")).length).toBe(count);
      return calls;
    };
    expect([(await callsFor(100)) / 100, (await callsFor(10_000)) / 10_000]).toEqual([2, 2]);
  });

  test("a copy has the data and the holes of its source", async () => {
    using folder = new RealFolder();
    const { images, node } = makePool(folder);
    const source = `${images}/source.raw`;
    const fd = openSync(source, "w");
    writeSync(fd, new Uint8Array(8192).fill(7), 0, 8192, 4 * MIB);
    writeSync(fd, new Uint8Array(100).fill(8), 0, 100, 9 * MIB);
    closeSync(fd);
    const flags = { isReflink: false };
    const { path } = await cloneVolume(node, "copy.raw", { source: { key: source, pool: undefined }, flags });
    expect(readFileSync(path).equals(readFileSync(source))).toBe(true);
    expect(lstatSync(path).blocks).toBe(lstatSync(source).blocks);
    expect(lstatSync(path).blocks * 512).toBeLessThan(MIB);
    expect(readdirSync(images).sort()).toEqual(["copy.raw", "source.raw"]);
  });

  test("a copy of a qcow2 image is the same image to QEMU", async () => {
    using folder = new RealFolder();
    const { images, node } = makePool(folder);
    await createVolume(node, images, { volume: volumeWith("<format type='qcow2'/>") });
    const qemuImg = Bun.which("qemu-img");
    if (qemuImg !== null) Bun.spawnSync(["qemu-io", "-c", "write -P 9 1M 64k", `${images}/new.img`]);
    const source = { key: "new.img", pool: "real" };
    const { path } = await cloneVolume(node, "copy.img", { source, flags: { isReflink: false } });
    expect(readFileSync(path).equals(readFileSync(`${images}/new.img`))).toBe(true);
    if (qemuImg === null) return;
    expect(Bun.spawnSync([qemuImg, "check", path]).exitCode).toBe(0);
    expect(Bun.spawnSync([qemuImg, "compare", path, `${images}/new.img`]).exitCode).toBe(0);
  });

  test("a raw volume grows and shrinks, and its data stays", async () => {
    using folder = new RealFolder();
    const { images, node } = makePool(folder);
    writeFileSync(`${images}/a.raw`, "data");
    const resize = async (capacityBytes: number, options: Partial<Resize> = {}) => {
      const asked = { capacityBytes, isAllocated: false, isDelta: false, isShrunk: false, ...options };
      await resizeVolume(node, { key: "a.raw", pool: "real" }, asked);
      const { blocks, size } = lstatSync(`${images}/a.raw`);
      return [size, blocks * 512];
    };
    expect(await resize(8 * MIB)).toEqual([8 * MIB, 4096]);
    expect(await resize(MIB, { isDelta: true, isShrunk: true })).toEqual([7 * MIB, 4096]);
    expect(await resize(MIB, { isDelta: true, isAllocated: true })).toEqual([8 * MIB, 8 * MIB]);
    expect(readFileSync(`${images}/a.raw`).subarray(0, 5).toString()).toBe("data\0");
  });

  test("a printed volume that changes meanwhile is reported, even if its size stays", async () => {
    using folder = new RealFolder();
    const { images, node } = makePool(folder);
    const path = `${images}/a.raw`;
    writeFileSync(path, "0123456789");
    const part = { offset: 0, mostBytes: undefined, isSparse: false };
    const printed: string[] = [];
    const printWhile = (meanwhile: () => void) =>
      printVolume(
        node,
        { key: "a.raw", pool: "real" },
        {
          part,
          print(bytes) {
            printed.push(new TextDecoder().decode(bytes));
            meanwhile();
            return true;
          },
        },
      );
    await printWhile(() => undefined);
    const write = (): void => writeFileSync(path, "9876543210", { flag: "r+" });
    expect((await errorOf(printWhile(write))).message).toBe(`Cannot download ${path}: it changed meanwhile`);
    expect(printed).toEqual(["0123456789", "0123456789"]);
  });

  test("a volume that a definition or another volume has is not shrunk", async () => {
    using folder = new RealFolder();
    const { images, node } = makePool(folder);
    for (const name of ["disk.raw", "base.raw"]) {
      writeFileSync(`${images}/${name}`, "");
      truncateSync(`${images}/${name}`, 8 * MIB);
    }
    mkdirSync(`${folder.path}/etc/domains`, { recursive: true });
    writeFileSync(
      `${folder.path}/etc/domains/vm1.xml`,
      `<domain type='kvm'>\n  <name>vm1</name>\n  <uuid>${OTHER}</uuid>\n  <devices><disk><source file='${images}/disk.raw'/></disk></devices>\n</domain>\n`,
    );
    const below = `<backingStore><path>${images}/base.raw</path></backingStore>`;
    await createVolume(node, images, { volume: volumeWith("<format type='qcow2'/>", below) });
    const shrink = { capacityBytes: MIB, isAllocated: false, isDelta: false, isShrunk: true };
    const refusals = await Promise.all(
      ["disk.raw", "base.raw"].map((key) => errorOf(resizeVolume(node, { key, pool: "real" }, shrink))),
    );
    expect(refusals.map(({ exitCode, message }) => [exitCode, message])).toEqual([
      [5, `Cannot shrink ${images}/disk.raw: the domain 'vm1' has it`],
      [5, `Cannot shrink ${images}/base.raw: the volume ${images}/new.img needs it`],
    ]);
    for (const name of ["disk.raw", "base.raw"]) expect(lstatSync(`${images}/${name}`).size).toBe(8 * MIB);
  });
});
