import { describe, expect, test } from "bun:test";
import {
  closeSync,
  lstatSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { openSink, openSource } from "../../../../src/host/linux/content/file-stream.ts";
import { lockImage } from "../../../../src/host/linux/content/image-lock.ts";
import type { FilePart } from "../../../../src/host/new-file.ts";
import { RealFolder } from "../../../real-host/folder.ts";
import { errorOf } from "../../../scenes/scene.ts";

const MIB = 1024 * 1024;
const WHOLE: FilePart = { offset: 0, mostBytes: undefined, isSparse: false };

/** A file of 9 MiB that has data only in the 8 KiB at 4 MiB. */
function sparseFile(folder: RealFolder): string {
  const path = folder.file("sparse", "");
  const fd = openSync(path, "r+");
  writeSync(fd, new Uint8Array(8192).fill(7), 0, 8192, 4 * MIB);
  closeSync(fd);
  truncateSync(path, 9 * MIB);
  return path;
}

describe("openSource()", () => {
  test("reads a part in pieces, and then ends", async () => {
    using folder = new RealFolder();
    const source = openSource(folder.id(folder.file("v", "0123456789")), {
      ...WHOLE,
      offset: 2,
      mostBytes: 5,
    });
    const read: string[] = [];
    for (let piece = await source.next?.(3); piece instanceof Uint8Array; piece = await source.next?.(3))
      read.push(new TextDecoder().decode(piece));
    expect(read).toEqual(["234", "56"]);
    expect(await source.next?.(3)).toBeUndefined();
    await source.close();
    await source.close();
    expect(await source.next?.(3)).toBeUndefined();
  });

  test("reads the holes of a sparse part as such", async () => {
    using folder = new RealFolder();
    const path = sparseFile(folder);
    const source = openSource(folder.id(path), { offset: MIB, mostBytes: 7 * MIB, isSparse: true });
    const found = [];
    for (let piece = await source.next?.(MIB); piece !== undefined; piece = await source.next?.(MIB))
      found.push(piece instanceof Uint8Array ? piece.length : piece);
    await source.close();
    expect(found).toEqual([{ holeBytes: 3 * MIB }, 8192, { holeBytes: 4 * MIB - 8192 }]);
  });

  test("of a file that has become shorter ends there", async () => {
    using folder = new RealFolder();
    const path = folder.file("v", "0123456789");
    const source = openSource(folder.id(path), WHOLE);
    truncateSync(path, 0);
    expect(await source.next?.(4)).toBeUndefined();
    await source.close();
  });
});

describe("openSink()", () => {
  test("writes at an offset, keeps the rest, and makes holes", async () => {
    using folder = new RealFolder();
    const path = folder.file("v", "");
    writeFileSync(path, new Uint8Array(4 * MIB).fill(1));
    const sink = await openSink(folder.id(path), { ...WHOLE, offset: MIB, isSparse: true });
    await sink.put?.(new Uint8Array(4096).fill(2));
    await sink.put?.({ holeBytes: 2 * MIB - 4096 });
    await sink.finish?.();
    await sink.close();
    const now = readFileSync(path);
    expect([now.length, now[MIB - 1], now[MIB], now[MIB + 4096], now[3 * MIB - 1], now[3 * MIB]]).toEqual([
      ...[4 * MIB, 1, 2, 0, 0, 1],
    ]);
    expect(lstatSync(path).blocks * 512).toBeLessThan(3 * MIB);
  });

  test("lets the file grow by data and by a hole at the end", async () => {
    using folder = new RealFolder();
    const path = folder.file("v", "01");
    const sink = await openSink(folder.id(path), { ...WHOLE, isSparse: true });
    await sink.put?.(new TextEncoder().encode("abc"));
    await sink.put?.({ holeBytes: 1024 * MIB });
    expect(statSync(path).size).toBe(3);
    await sink.finish?.();
    await sink.close();
    expect(statSync(path).size).toBe(1024 * MIB + 3);
    expect(lstatSync(path).blocks * 512).toBeLessThan(MIB);
  });

  test.each([2 ** 52, 2 ** 62])("refuses a hole of %d bytes, and the file stays", async (holeBytes) => {
    using folder = new RealFolder();
    const path = folder.file("v", "01");
    const sink = await openSink(folder.id(path), { ...WHOLE, isSparse: true });
    const error = await errorOf(
      (async () => {
        await sink.put?.({ holeBytes });
        await sink.finish?.();
      })(),
    );
    await sink.close();
    expect(error.libvirt.name).toBe("VIR_ERR_SYSTEM_ERROR");
    expect(statSync(path).size).toBe(2);
  });

  test("writes what fits, and refuses the rest in libvirt's words", async () => {
    using folder = new RealFolder();
    const path = folder.file("v", "0123");
    const sink = await openSink(folder.id(path), { ...WHOLE, mostBytes: 2 });
    const error = await errorOf(Promise.resolve(sink.put?.(new TextEncoder().encode("abc"))));
    await sink.close();
    // VIR_ERR_SYSTEM_ERROR and VIR_FROM_STREAMS of virFDStreamWrite()
    expect(error).toMatchObject({
      message: "cannot write to stream: No space left on device",
      libvirt: { code: 38, domain: 38 },
    });
    expect(readFileSync(path, "utf8")).toBe("ab23");
  });

  test("locks the image, also against other work of this process, until it is closed", async () => {
    using folder = new RealFolder();
    const path = folder.file("v", "0123");
    const sink = await openSink(folder.id(path), WHOLE);
    const fd = openSync(path, "r+");
    const lock = async () => await lockImage(fd, path, { as: "writer", isFirst: true });
    await expect(lock()).rejects.toThrow("another program has locked it");
    await expect(openSink(folder.id(path), WHOLE)).rejects.toThrow("another program has locked it");
    await sink.close();
    await lock();
    closeSync(fd);
    await (await openSink(folder.id(path), WHOLE)).close();
  });

  test("is closed while it writes only after that", async () => {
    using folder = new RealFolder();
    const path = folder.file("v", "");
    const sink = await openSink(folder.id(path), WHOLE);
    const put = sink.put?.(new Uint8Array(8 * MIB).fill(3));
    await Promise.all([sink.close(), put]);
    await sink.put?.(new Uint8Array(1));
    expect(readFileSync(path).every((byte) => byte === 3)).toBe(true);
  });
});
