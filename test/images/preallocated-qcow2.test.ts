import { afterAll, describe, expect, test } from "bun:test";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatNewImage } from "../../src/images/new-qcow2.ts";
import { preallocateImage } from "../../src/images/preallocated-qcow2.ts";
import type { Qcow2Options } from "../../src/images/qcow2-features.ts";
import { planResizedQcow2 } from "../../src/images/resized-qcow2.ts";

const [MIB, GIB] = [2 ** 20, 2 ** 30] as const;
const qemuImg = Bun.which("qemu-img");
const missing = qemuImg === null ? " (skipped: qemu-img is missing)" : "";
const folder = fs.mkdtempSync(join(tmpdir(), "svirt-preallocated-"));
afterAll(() => fs.rmSync(folder, { recursive: true }));

function run(...words: readonly string[]): { readonly code: number; readonly out: string } {
  const { exitCode, stderr, stdout } = Bun.spawnSync([...words]);
  return { code: exitCode, out: `${stdout}${stderr}` };
}

/** Writes an image, and returns its path. */
function write(sizeBytes: number, options: Qcow2Options): string {
  const path = join(folder, "ours.qcow2");
  const image = preallocateImage({ sizeBytes, options });
  const fd = fs.openSync(path, "w");
  for (const { bytes, offset } of [{ offset: 0, bytes: image.bytes }, ...image.parts])
    fs.writeSync(fd, bytes, 0, bytes.length, offset);
  fs.ftruncateSync(fd, image.sizeBytes);
  fs.closeSync(fd);
  return path;
}

/**
 * Returns the parts of the guest's disk as qemu-img shows them, without their places, which may be in another
 * order.
 */
function mapOf(path: string): unknown {
  const parts: Record<string, unknown>[] = JSON.parse(run("qemu-img", "map", "--output=json", path).out);
  const kinds = parts.map(({ data, depth, present }) => ({ data, depth, present }));
  const length = parts.reduce((sum, part) => sum + Number(part["length"]), 0);
  return { length, kinds: [...new Set(kinds.map((kind) => JSON.stringify(kind)))] };
}

describe.skipIf(qemuImg === null)(`preallocateImage()${missing}`, () => {
  test.each([
    [{}, 10 * MIB, ""],
    [{}, 3 * GIB + 512, ""],
    [{ compat: "0.10" }, 600 * MIB, "compat=0.10,"],
    [{ clusterBytes: 512 }, 3 * MIB + 512, "cluster_size=512,"],
    [{ clusterBytes: 4096, lazyRefcounts: true }, 100 * MIB, "cluster_size=4k,lazy_refcounts=on,"],
    [{ clusterBytes: 16_384, extendedL2: true }, 100 * MIB, "cluster_size=16k,extended_l2=on,"],
    [{ clusterBytes: 2 * MIB }, 100 * GIB, "cluster_size=2M,"],
    [{}, 0, ""],
  ] as const)(
    "with %j of %d bytes makes an image that qemu-img finds whole, and maps as its own",
    (options, sizeBytes, words) => {
      const path = write(sizeBytes, options);
      expect(run("qemu-img", "check", "-f", "qcow2", path)).toEqual({
        code: 0,
        out: expect.stringContaining("No errors were found on the image."),
      });
      const theirs = join(folder, "theirs.qcow2");
      run(
        "qemu-img",
        "create",
        "-f",
        "qcow2",
        "-o",
        `${words}preallocation=metadata`,
        theirs,
        `${sizeBytes}`,
      );
      expect(mapOf(path)).toEqual(mapOf(theirs));
      // All places are taken: a write makes the file no longer.
      const { size } = fs.statSync(path);
      if (sizeBytes > 0) {
        const io = run(
          "qemu-io",
          "-f",
          "qcow2",
          "-c",
          `write -P 7 ${sizeBytes - 512} 512`,
          "-c",
          "read -P 0 0 512",
          path,
        );
        expect([io.code, io.out]).toEqual([0, expect.not.stringContaining("failed")]);
      }
      expect([run("qemu-img", "check", path).code, fs.statSync(path).size]).toEqual([0, size]);
      if (sizeBytes > GIB) expect(fs.statSync(path).blocks * 512).toBeLessThan(64 * MIB);
    },
    60_000,
  );

  test("refuses a size whose number would not be exact", () => {
    const options = { clusterBytes: 2 * MIB };
    for (const make of [preallocateImage, formatNewImage])
      expect(() => make({ format: "qcow2", sizeBytes: 2 ** 53, options })).toThrow("are too many");
  });

  test("and svirt can resize it", () => {
    const path = write(10 * MIB, { clusterBytes: 512 });
    const bytes = fs.readFileSync(path);
    const read = (offset: number, length: number): Uint8Array => {
      const copy = new Uint8Array(length);
      copy.set(bytes.subarray(offset, offset + length));
      return copy;
    };
    const fd = fs.openSync(path, "r+");
    for (const part of planResizedQcow2({ sizeBytes: bytes.length, read }, 12 * MIB).flat())
      fs.writeSync(fd, part.bytes, 0, part.bytes.length, part.offset);
    fs.closeSync(fd);
    expect(run("qemu-img", "check", path).code).toBe(0);
  });
});

test("preallocateImage() makes its tables one by one, and refuses an image whose counts QEMU would not read", () => {
  const image = preallocateImage({ sizeBytes: 2 ** 44 });
  let count = 0;
  for (const { bytes } of image.parts) {
    count += 1;
    expect(bytes.length).toBeLessThanOrEqual(2 ** 18);
    if (count > 20) break;
  }
  expect(() => preallocateImage({ sizeBytes: 2 ** 37, options: { clusterBytes: 512 } })).toThrow("too many");
});
