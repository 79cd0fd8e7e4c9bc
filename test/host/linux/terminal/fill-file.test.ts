import { describe, expect, test } from "bun:test";
import {
  closeSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { lockImage } from "../../../../src/host/linux/content/image-lock.ts";
import { makeFileWithin } from "../../../../src/host/linux/content/make-within.ts";
import { fillFile } from "../../../../src/host/linux/terminal/fill-file.ts";
import type { FilePart } from "../../../../src/host/new-file.ts";
import { RealFolder } from "../../../real-host/folder.ts";

const MIB = 1024 * 1024;
const WHOLE: FilePart = { offset: 0, mostBytes: undefined, isSparse: false };

/** A file of 9 MiB that has data only at its beginning and at 4 MiB. */
function sparseFile(folder: RealFolder, name: string): string {
  const path = `${folder.path}/${name}`;
  writeFileSync(path, "begin");
  const fd = openSync(path, "r+");
  writeSync(fd, new Uint8Array(8192).fill(7), 0, 8192, 4 * MIB);
  closeSync(fd);
  truncateSync(path, 9 * MIB);
  return path;
}

const allocated = (path: string): number => lstatSync(path).blocks * 512;

describe("fillFile()", () => {
  test("writes at an offset and keeps the rest", async () => {
    using folder = new RealFolder();
    const volume = folder.file("v", "0123456789");
    await fillFile(folder.id(volume), folder.file("in", "abc"), { ...WHOLE, offset: 4 });
    expect(readFileSync(volume, "utf8")).toBe("0123abc789");
  });

  test("writes beyond the end", async () => {
    using folder = new RealFolder();
    const volume = folder.file("v", "01");
    await fillFile(folder.id(volume), folder.file("in", "abc"), { ...WHOLE, offset: 4 });
    expect(readFileSync(volume, "utf8")).toBe("01\0\0abc");
  });

  test.each([false, true])("writes a file with holes: sparse %p", async (isSparse) => {
    using folder = new RealFolder();
    const volume = folder.file("v", "");
    writeFileSync(volume, new Uint8Array(10 * MIB).fill(1));
    const input = sparseFile(folder, "in");
    const reports: (readonly number[])[] = [];
    const onProgress = (done: number, total: number) => void reports.push([done, total]);
    await fillFile(folder.id(volume), input, { ...WHOLE, isSparse, onProgress });
    const now = readFileSync(volume);
    expect(now.subarray(0, 9 * MIB).equals(readFileSync(input))).toBe(true);
    expect(now.subarray(9 * MIB).equals(new Uint8Array(MIB).fill(1))).toBe(true);
    if (isSparse) expect(allocated(volume)).toBeLessThan(2 * MIB);
    else expect(allocated(volume)).toBe(10 * MIB);
    if (!isSparse) expect(reports.at(-1)).toEqual([9 * MIB, 9 * MIB]);
  });

  test("refuses an input that is longer than the part, before it writes", async () => {
    using folder = new RealFolder();
    const volume = folder.file("v", "0123");
    await expect(
      fillFile(folder.id(volume), folder.file("in", "abc"), { ...WHOLE, mostBytes: 2 }),
    ).rejects.toThrow("longer than 2 bytes");
    expect(readFileSync(volume, "utf8")).toBe("0123");
  });

  test("refuses a pipe, a folder and a device, and does not wait", async () => {
    using folder = new RealFolder();
    const volume = folder.file("v", "0123");
    Bun.spawnSync(["mkfifo", `${folder.path}/fifo`]);
    for (const name of [`${folder.path}/fifo`, folder.path, "/dev/zero"])
      await expect(fillFile(folder.id(volume), name, WHOLE)).rejects.toThrow("not a regular file");
    await expect(fillFile(folder.id(volume), `${folder.path}/none`, WHOLE)).rejects.toThrow("No such file");
    expect(readFileSync(volume, "utf8")).toBe("0123");
  });

  test("refuses an image that a guest has open, as QEMU locks it", async () => {
    using folder = new RealFolder();
    const volume = folder.file("v", "0123");
    const fd = openSync(volume, "r+");
    // As the descriptor of another process: svirt unlocks those that it has inherited.
    const child = Bun.spawn(["sleep", "60"], { stdio: [fd, "ignore", "ignore"] });
    await lockImage(fd, volume, { as: "writer", isFirst: true });
    closeSync(fd);
    try {
      await expect(fillFile(folder.id(volume), folder.file("in", "abc"), WHOLE)).rejects.toThrow(
        "another program has locked it",
      );
      expect(readFileSync(volume, "utf8")).toBe("0123");
    } finally {
      child.kill();
    }
  });

  test("refuses another file in the place of the one that was inspected", async () => {
    using folder = new RealFolder();
    const inspected = folder.id(folder.file("v", "old"));
    folder.file("other", "other");
    renameSync(`${folder.path}/other`, inspected.path);
    await expect(fillFile(inspected, folder.file("in", "abc"), WHOLE)).rejects.toThrow("was replaced");
    expect(readFileSync(inspected.path, "utf8")).toBe("other");
  });
});

describe("makeFileWithin() copies a part", () => {
  const copyOf = async (folder: RealFolder, source: string, part: FilePart & { sizeBytes: number }) => {
    const { sizeBytes, ...rest } = part;
    return (
      await makeFileWithin(folder.id(folder.path), {
        name: "out",
        content: { bytes: new Uint8Array(), sizeBytes },
        copy: { from: folder.id(source), isShared: false, part: rest },
        reservedBytes: rest.isSparse ? 0 : sizeBytes,
        mode: 0o600,
        isReplaced: true,
      })
    ).path;
  };

  test.each([false, true])("with its holes: sparse %p", async (isSparse) => {
    using folder = new RealFolder();
    const source = sparseFile(folder, "source");
    folder.file("out", "old");
    const offset = 2;
    const path = await copyOf(folder, source, {
      offset,
      mostBytes: undefined,
      isSparse,
      sizeBytes: 9 * MIB - 2,
    });
    expect(readFileSync(path).equals(readFileSync(source).subarray(2))).toBe(true);
    if (isSparse) expect(allocated(path)).toBeLessThan(MIB);
    else expect(allocated(path)).toBeGreaterThanOrEqual(9 * MIB - 2);
  });

  test("of a few bytes within a hole and data", async () => {
    using folder = new RealFolder();
    const source = sparseFile(folder, "source");
    const path = await copyOf(folder, source, {
      offset: 4 * MIB - 2,
      mostBytes: 4,
      isSparse: true,
      sizeBytes: 4,
    });
    expect([...readFileSync(path)]).toEqual([0, 0, 7, 7]);
  });
});
