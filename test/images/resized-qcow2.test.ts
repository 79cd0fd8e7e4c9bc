// In turn: it takes seconds of a processor.
import { afterAll, describe, expect, test } from "bun:test";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ImageBytes } from "../../src/images/image-writes.ts";
import { planResizedQcow2 } from "../../src/images/resized-qcow2.ts";
import { shareOf } from "../sample.ts";

const [KIB, MIB, GIB, TIB] = [2 ** 10, 2 ** 20, 2 ** 30, 2 ** 40] as const;
const qemuImg = Bun.which("qemu-img");
const missing = qemuImg === null ? " (skipped: qemu-img is missing)" : "";
const folder = fs.mkdtempSync(join(tmpdir(), "svirt-resize-"));
afterAll(() => fs.rmSync(folder, { recursive: true }));
/** QEMU takes long for small clusters. */
const SLOW_MS = 60_000;
const path = join(folder, "image.qcow2");

/** Runs a command, and returns its exit code and output. */
function run(...words: readonly string[]): { readonly code: number; readonly out: string } {
  const { exitCode, stderr, stdout } = Bun.spawnSync([...words]);
  return { code: exitCode, out: `${stdout}${stderr}` };
}

function make(size: number, options: string, ...more: readonly string[]): void {
  fs.rmSync(path, { force: true });
  const { code, out } = run("qemu-img", "create", "-f", "qcow2", "-o", options, ...more, path, `${size}`);
  expect([code, out]).toEqual([0, expect.anything()]);
}

/** Runs commands of qemu-io, none of which may fail. */
function io(...commands: readonly string[]): void {
  const { code, out } = run("qemu-io", "-f", "qcow2", ...commands.flatMap((text) => ["-c", text]), path);
  expect([code, out]).toEqual([0, expect.not.stringMatching(/failed|error/i)]);
}

/**
 * Exit code of a check: 0 for a whole image, 3 for one with clusters that nothing uses, 2 for a broken one.
 */
const check = (): number => run("qemu-img", "check", "-f", "qcow2", path).code;
const sizeOf = (): number =>
  JSON.parse(run("qemu-img", "info", "--output=json", "-f", "qcow2", path).out)["virtual-size"];

function withBytes<Result>(use: (image: ImageBytes, fd: number) => Result): Result {
  const fd = fs.openSync(path, "r+");
  const read = (offset: number, length: number): Uint8Array => {
    const bytes = new Uint8Array(length);
    fs.readSync(fd, bytes, 0, length, offset);
    return bytes;
  };
  try {
    return use({ sizeBytes: fs.fstatSync(fd).size, read }, fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Resizes the image, and stops before the write of that number. Returns the number of all writes. */
function resize(sizeBytes: number, stop = Number.POSITIVE_INFINITY, isReversed = false): number {
  return withBytes((image, fd) => {
    // Within a group a power failure may leave any writes.
    const groups = planResizedQcow2(image, sizeBytes);
    const writes = groups.flatMap((group) => (isReversed ? group.toReversed() : group));
    for (const { bytes, offset } of writes.slice(0, stop)) fs.writeSync(fd, bytes, 0, bytes.length, offset);
    return writes.length;
  });
}

/**
 * Options of qemu-img, and sizes before and after. In some the L1 table stays, in others it moves, with the
 * table of reference counts too.
 */
const GROWN = [
  ["compat=0.10", MIB, 8 * TIB],
  ["compat=1.1", MIB, GIB],
  ["compat=1.1", 512, 20 * TIB],
  ["compat=1.1,cluster_size=2M,extended_l2=on", GIB, 64 * TIB],
  ["compat=1.1,cluster_size=16k,extended_l2=on,lazy_refcounts=on", GIB, 2 * TIB],
  ["compat=1.1,cluster_size=4k,lazy_refcounts=on", MIB + 512, 100 * GIB],
  ["compat=0.10,cluster_size=512", 96 * KIB, 120 * KIB],
  ["compat=0.10,cluster_size=512", MIB, 2 * MIB],
  ["compat=1.1,cluster_size=512", MIB, 3 * MIB],
  ["compat=1.1,cluster_size=512,preallocation=metadata", 7 * MIB, 6 * GIB],
  ["compat=1.1,preallocation=metadata", 10 * MIB, 6 * TIB],
  ["compat=1.1", 0, GIB],
] as const;

const range = (count: number): readonly number[] => [...Array(count).keys()];

describe.skipIf(qemuImg === null)(`planResizedQcow2()${missing}`, () => {
  test.each(GROWN)(
    "makes an image with %s of %d bytes one of %d, and QEMU finds it whole",
    (options, from, to) => {
      make(from, options);
      if (from >= 64 * KIB) io("write -P 7 0 64k", `write -P 8 ${from - 512} 512`);
      resize(to);
      expect([check(), sizeOf()]).toEqual([0, to]);
      io(`write -P 9 ${to - 512} 512`, `read -P 9 ${to - 512} 512`);
      if (from >= 64 * KIB) io("read -P 7 0 64k", `read -P 8 ${from - 512} 512`, `read -P 0 ${from} 4k`);
      expect(check()).toBe(0);
      // What QEMU makes of it has no other size, and QEMU can change that again.
      expect(run("qemu-img", "resize", "-f", "qcow2", path, `${to + MIB}`).code).toBe(0);
      expect(check()).toBe(0);
    },
    SLOW_MS,
  );

  test.each(GROWN)(
    "stopped before any write, with %s of %d bytes to %d, leaves an image with its data, which then grows",
    (options, from, to) => {
      make(from, options);
      const hasData = from >= 64 * KIB;
      if (hasData) io("write -P 7 0 64k", `write -P 8 ${from - 512} 512`);
      fs.copyFileSync(path, `${path}.first`);
      const count = resize(to);
      expect(count).toBeGreaterThan(0);
      // Of many new blocks of counts, one is like another.
      const places = range(count).filter((at) => at < 3 || at > count - 7);
      const stops = places.flatMap((place) => [[place, false] as const, [place, true] as const]);
      for (const [at, isReversed] of shareOf(stops, count)) {
        fs.copyFileSync(`${path}.first`, path);
        resize(to, at, isReversed);
        // Clusters that nothing uses are no damage.
        expect([0, 3]).toContain(check());
        expect([from, to]).toContain(sizeOf());
        if (hasData) io("read -P 7 0 64k", `read -P 8 ${from - 512} 512`);
        resize(to);
        expect([0, 3]).toContain(check());
        expect(sizeOf()).toBe(to);
        if (hasData) io("read -P 7 0 64k", `read -P 8 ${from - 512} 512`, `read -P 0 ${from} 4k`);
      }
    },
    SLOW_MS,
  );

  test.each(["compat=0.10,cluster_size=512", "compat=1.1", "cluster_size=64k,extended_l2=on"])(
    "makes an image with %s smaller as far as its tables map nothing",
    (options) => {
      make(8 * MIB, options);
      io("write -P 7 0 1M");
      resize(3 * MIB);
      expect([check(), sizeOf()]).toEqual([0, 3 * MIB]);
      io("read -P 7 0 1M", "read -P 0 1M 2M");
      const before = fs.readFileSync(path);
      expect(() => resize(512 * KIB)).toThrow("it has data behind its first 524288 bytes");
      expect(fs.readFileSync(path).equals(before)).toBe(true);
      io(`discard 0 1M`);
      resize(512 * KIB);
      expect([check(), sizeOf()]).toEqual([0, 512 * KIB]);
      resize(9 * MIB);
      expect([check(), sizeOf()]).toEqual([0, 9 * MIB]);
      io("read -P 0 0 9M");
    },
  );

  test.each([
    [() => make(MIB, "refcount_bits=1"), "its reference counts have 1 bits"],
    [() => make(MIB, "refcount_bits=64"), "its reference counts have 64 bits"],
    [() => make(MIB, `data_file=${path}.data`), "its data is in another file"],
    [
      () => make(MIB, "encrypt.format=aes,encrypt.key-secret=s", "--object", "secret,id=s,data=x"),
      "it is encrypted",
    ],
    [
      () => {
        make(MIB, "compat=0.10");
        run("qemu-img", "snapshot", "-c", "one", path);
        // QEMU refuses it as well.
        expect(run("qemu-img", "resize", "-f", "qcow2", path, "2M").out).toContain(
          "v2 image which has snapshots",
        );
      },
      "it has internal snapshots that need not have the size of their disk",
    ],
    [
      () => {
        make(MIB, "compat=1.1");
        run("qemu-img", "bitmap", "--add", path, "one");
      },
      "it has persistent bitmaps",
    ],
    [
      () => {
        make(MIB, "lazy_refcounts=on");
        run("qemu-io", "-f", "qcow2", "-c", "write -P 7 0 64k", "-c", "abort", path);
      },
      "it was not closed",
    ],
    [
      () => {
        make(MIB, "compat=1.1");
        // The bit "corrupt" of incompatible_features.
        withBytes((_, fd) => fs.writeSync(fd, new Uint8Array([2]), 0, 1, 79));
      },
      "its reference counts may be wrong",
    ],
  ])("leaves an image that it must not change as it is (%#)", (prepare, why) => {
    prepare();
    const before = fs.readFileSync(path);
    for (const size of [2 * MIB, GIB, 8 * TIB, 512]) expect(() => resize(size)).toThrow(why);
    expect(fs.readFileSync(path).equals(before)).toBe(true);
  });

  test.each(["cluster_size=4k", "compat=0.10", "cluster_size=64k,extended_l2=on"])(
    "with %s does not cut off data within the last cluster",
    (options) => {
      for (const write of ["write -P 7 100k 4k", "write -c -P 7 64k 64k"]) {
        make(MIB, options);
        io(write);
        expect(() => resize(97 * KIB)).toThrow("it has data behind its first 99328 bytes");
        expect([check(), sizeOf()]).toEqual([0, MIB]);
        io("read -P 7 100k 4k");
      }
      make(MIB, options);
      io("write -P 7 64k 33k");
      resize(97 * KIB);
      expect([check(), sizeOf()]).toEqual([0, 97 * KIB]);
      io("read -P 7 64k 33k");
    },
    SLOW_MS,
  );

  test(
    "makes an image smaller whose many tables behind the end map nothing",
    () => {
      make(50 * GIB, "compat=1.1");
      const places = range(90).map((at) => GIB + at * 512 * MIB);
      io(...places.map((at) => `write -z ${at} 4k`), ...places.map((at) => `discard ${at} 64k`));
      resize(GIB);
      expect([check(), sizeOf()]).toEqual([0, GIB]);
    },
    SLOW_MS,
  );

  test("refuses a size that the L1 table cannot map, as qemu-img does", () => {
    make(MIB, "cluster_size=512");
    // So the remedy is another one.
    expect(() => resize(TIB)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining("too many for its clusters"),
        remedy: expect.stringContaining("cluster_size=2M"),
      }),
    );
    expect(run("qemu-img", "resize", "-f", "qcow2", path, `${TIB}`).code).toBe(1);
  });

  test(
    "refuses an image whose file is longer than its reference counts may be, and QEMU still opens it",
    () => {
      make(MIB, "cluster_size=512");
      fs.truncateSync(path, TIB);
      expect(() => resize(3 * MIB)).toThrow("its reference counts are those of a larger file");
      expect([sizeOf(), fs.statSync(path).size]).toEqual([MIB, TIB]);
    },
    SLOW_MS,
  );
});

describe.skipIf(qemuImg === null)(`planResizedQcow2() of an image that lies${missing}`, () => {
  /** Places in the header and their values. docs/interop/qcow2.rst */
  test.each([
    ["an L1 table within a cluster", 40, 512n],
    ["an L1 table where the header is", 40, 0n],
    ["an L1 table at clusters that nothing counts", 40, 2n ** 40n],
    ["a table of reference counts within a cluster", 48, 512n],
    ["no table of reference counts", 48, 0n],
    ["a table of reference counts at the guest's data", 48, BigInt(5 * 64 * KIB)],
    ["a size that its L1 table does not map", 24, 2n ** 50n],
    ["an L1 table at that of reference counts", 40, BigInt(64 * KIB)],
  ])("throws for %s, and for any size at all", (_, place, value) => {
    make(4 * MIB, "compat=1.1");
    io("write -P 7 0 2M");
    withBytes((_image, fd) => {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setBigUint64(0, value);
      fs.writeSync(fd, bytes, 0, 8, place);
    });
    for (const size of [GIB, 8 * TIB]) {
      const before = fs.readFileSync(path);
      try {
        resize(size);
        // An image whose tables do not overlap is changed as one: nothing is worse than before.
        expect(check()).toBe(0);
      } catch (error) {
        expect(String(error)).toMatch(/Cannot (?:read the qcow2 header|resize the qcow2 image)/);
        expect(fs.readFileSync(path).equals(before)).toBe(true);
      }
    }
  });

  test(
    "frees no table of reference counts that is counted twice",
    () => {
      make(7 * MIB, "compat=1.1,cluster_size=512,preallocation=metadata");
      withBytes(({ read }, fd) => {
        const at = Buffer.from(read(48, 8)).readBigUInt64BE();
        const block = Buffer.from(read(Number(at), 8)).readBigUInt64BE();
        fs.writeSync(fd, new Uint8Array([0, 2]), 0, 2, Number(block + (at / 512n) * 2n));
      });
      const before = fs.readFileSync(path);
      expect(() => resize(6 * GIB)).toThrow("which is of a table, is not counted once");
      expect(fs.readFileSync(path).equals(before)).toBe(true);
    },
    SLOW_MS,
  );
});
