import { afterAll, describe, expect, test } from "bun:test";
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { errorsOfWork } from "../../../../src/errors.ts";
import { copyToDevice } from "../../../../src/host/linux/content/copy-to-device.ts";
import { openSink, openSource } from "../../../../src/host/linux/content/file-stream.ts";
import { lockImages } from "../../../../src/host/linux/content/lock-images.ts";
import { makeFileWithin } from "../../../../src/host/linux/content/make-within.ts";
import { wipeFile } from "../../../../src/host/linux/content/wipe-file.ts";
import { inspectFile } from "../../../../src/host/linux/files/inspect-file.ts";
import { fillFile } from "../../../../src/host/linux/terminal/fill-file.ts";
import { convertImage } from "../../../../src/images/conversion/convert-image.ts";
import type { SourceFile } from "../../../../src/images/conversion/guest-data.ts";
import { ImageFolder, qemuImg } from "../../../images/conversion/real-images.ts";
import { RealFolder } from "../../../real-host/folder.ts";
import { errorOf } from "../../../scenes/scene.ts";

const MIB = 1024 * 1024;
const SIZE = 4 * MIB;
const WHOLE = { offset: 0, mostBytes: undefined, isSparse: false };

const folder = new RealFolder();
const image = folder.file("image");
truncateSync(image, SIZE);
const device = attach(image);
afterAll(() => {
  if (device !== undefined) Bun.spawnSync(["losetup", "--detach", device]);
  folder[Symbol.dispose]();
});
const skipped = device === undefined ? " (skipped: no loop device can be attached)" : "";

/** Returns a loop device of the file; undefined without the rights for one. */
function attach(path: string): string | undefined {
  if (process.getuid?.() !== 0 || Bun.which("losetup") === null) return undefined;
  const done = Bun.spawnSync(["losetup", "--find", "--show", path]);
  return done.success ? done.stdout.toString().trim() : undefined;
}

function found(path: string) {
  const facts = inspectFile(path);
  if (facts === undefined) throw new Error(`${path} is missing`);
  return facts;
}

/** Runs a command of the system. */
function run(...words: string[]): void {
  const done = Bun.spawnSync(words);
  if (!done.success) throw new Error(`${words.join(" ")}: ${done.stderr.toString()}`);
}

describe.skipIf(device === undefined)(`a block device${skipped}`, () => {
  const path = device ?? "";

  test("gets the data of a file with holes, and zeros in these and behind it", async () => {
    const [input, data] = [folder.file("holes"), crypto.getRandomValues(new Uint8Array(5000))];
    writeFileSync(input, data);
    truncateSync(input, MIB);
    writeFileSync(path, new Uint8Array(SIZE).fill(0xff), { flag: "r+" });
    await copyToDevice(found(path).id, { from: found(input).id });
    const bytes = new Uint8Array(readFileSync(path));
    expect(bytes.slice(0, data.length)).toEqual(data);
    expect(bytes.slice(data.length).every((byte) => byte === 0)).toBe(true);
  });

  test.skipIf(qemuImg === null)("gets the guest's data of a qcow2 image, as qemu-img reads it", async () => {
    using images = new ImageFolder();
    const base = images.make("base", ["raw", "4M"], ["write -P 1 0 3M"]);
    const commands = ["write -P 2 1M 64k", "write -z 2M 128k", "write -P 3 3145728 512"];
    const top = images.make("top", ["qcow2", "-b", base, "-F", "raw", "3584k"], commands);
    writeFileSync(path, new Uint8Array(SIZE).fill(0xff), { flag: "r+" });
    const image = { formats: ["qcow2", "raw"], format: "raw", sizeBytes: SIZE, options: {} } as const;
    const convert = (files: readonly SourceFile[]) => convertImage(files, image);
    await copyToDevice(found(path).id, { conversion: { from: [found(top).id, found(base).id], convert } });
    expect(run("qemu-img", "compare", "-f", "qcow2", "-F", "raw", top, path)).toBeUndefined();
  });

  test("keeps its other parts when one gets data, also while a program has it open", async () => {
    const [input, data] = [folder.file("part"), crypto.getRandomValues(new Uint8Array(70_001))];
    writeFileSync(input, data);
    writeFileSync(path, new Uint8Array(SIZE).fill(0xff), { flag: "r+" });
    const other = openSync(path, "r+");
    const seen: number[] = [];
    const onProgress = (done: number) => seen.push(done);
    await copyToDevice(found(path).id, { from: found(input).id, onProgress }, { start: MIB, end: 3 * MIB });
    closeSync(other);
    const expected = new Uint8Array(SIZE).fill(0xff);
    expected.fill(0, MIB, 3 * MIB);
    expected.set(data, MIB);
    expect([Bun.hash(readFileSync(path)), seen]).toEqual([Bun.hash(expected), [data.length]]);
    const larger = await errorsOfWork(
      async () =>
        await copyToDevice(found(path).id, { from: found(input).id }, { start: MIB, end: MIB + 512 }),
    );
    expect(larger.map(({ kind }) => kind)).toEqual(["in-use"]);
    expect(Bun.hash(readFileSync(path))).toBe(Bun.hash(expected));
  });

  test.skipIf(qemuImg === null)(
    "is locked against QEMU, and not against a program that takes it for itself",
    async () => {
      const write = () =>
        Bun.spawnSync(["qemu-io", "-f", "raw", "-c", "write 0 512", path]).stderr.toString();
      const unlock = await lockImages([found(path).id]);
      closeSync(openSync(path, constants.O_RDWR | constants.O_EXCL));
      expect(write()).toContain('Failed to get "write" lock');
      unlock();
      expect(write()).toBe("");
    },
  );

  test("is overwritten from an odd place, and copied to a file with its bytes", async () => {
    const input = folder.file("input");
    const bytes = crypto.getRandomValues(new Uint8Array(4097));
    writeFileSync(input, bytes);
    await fillFile(found(path).id, input, { ...WHOLE, offset: 513 });
    expect(new Uint8Array(readFileSync(path)).slice(513, 513 + bytes.length)).toEqual(bytes);
    mkdirSync(`${folder.path}/out`);
    await makeFileWithin(found(`${folder.path}/out`).id, {
      name: "copy",
      content: { bytes: new Uint8Array(), sizeBytes: SIZE - 513 },
      copy: { from: found(path).id, isShared: false, part: { ...WHOLE, offset: 513 } },
      reservedBytes: 0,
      mode: 0o600,
    });
    const copy = new Uint8Array(readFileSync(`${folder.path}/out/copy`));
    expect([copy.length, copy.slice(0, bytes.length)]).toEqual([SIZE - 513, bytes]);
  });

  test("is written and read as a stream, with holes as zeros, and no further than its end", async () => {
    writeFileSync(path, new Uint8Array(SIZE).fill(7));
    const sink = await openSink(found(path).id, { offset: 513, mostBytes: SIZE - 513, isSparse: true });
    await sink.put?.(new Uint8Array(1000).fill(5));
    await sink.put?.({ holeBytes: 1000 });
    const tooLong = await errorOf(Promise.resolve(sink.put?.({ holeBytes: SIZE })));
    expect(tooLong.message).toContain("No space left on device");
    await sink.finish?.();
    await sink.close();
    const source = openSource(found(path).id, { offset: 0, mostBytes: undefined, isSparse: true });
    const first = await source.next?.(SIZE);
    await source.close();
    if (!(first instanceof Uint8Array)) throw new Error("it begins with a hole");
    expect([first.length, ...[512, 513, 1512, 1513, SIZE - 1].map((at) => first[at])]).toEqual([
      ...[SIZE, 7, 5, 5, 0, 0],
    ]);
  });

  test("is made zeros, and trimmed", async () => {
    for (const how of ["zero", "trim"] as const) {
      writeFileSync(path, new Uint8Array(SIZE).fill(7));
      await wipeFile(found(path).id, how);
      expect(new Uint8Array(readFileSync(path)).every((byte) => byte === 0)).toBe(true);
    }
  });

  test("is left alone by the kernel's own knowledge while the host has mounted it", async () => {
    if (Bun.which("mke2fs") === null) return;
    run("mke2fs", "-q", path);
    const at = `${folder.path}/mounted`;
    mkdirSync(at);
    run("mount", path, at);
    try {
      const before = readFileSync(path).toString("latin1", 1024, 2048);
      const [error] = await errorsOfWork(async () => await wipeFile(found(path).id, "zero"));
      expect([error?.kind, error?.message]).toEqual(["in-use", `Cannot write to ${path}: the host uses it`]);
      expect(readFileSync(path).toString("latin1", 1024, 2048)).toBe(before);
    } finally {
      run("umount", at);
    }
  });
});
