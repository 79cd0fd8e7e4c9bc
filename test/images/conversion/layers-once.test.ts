import { expect, test } from "bun:test";
import { deflateRawSync } from "node:zlib";
import { convertImage } from "../../../src/images/conversion/convert-image.ts";
import type { SourceFile } from "../../../src/images/conversion/guest-data.ts";
import { formatNewImage } from "../../../src/images/new-qcow2.ts";
import { sourceOf } from "../../memory-host/converted-bytes.ts";

const [KIB, MIB, GIB] = [2 ** 10, 2 ** 20, 2 ** 30] as const;

/**
 * Returns an image with an L2 table behind its header, counts and L1 table, and with more clusters behind
 * that.
 */
function imageWith(
  { clusterBytes, sizeBytes }: { readonly clusterBytes: number; readonly sizeBytes: number },
  change: (view: DataView, table: number) => void,
): Uint8Array {
  const bytes = new Uint8Array(16 * clusterBytes);
  bytes.set(formatNewImage({ format: "qcow2", sizeBytes, options: { clusterBytes } }));
  const view = new DataView(bytes.buffer);
  view.setBigUint64(3 * clusterBytes, BigInt(4 * clusterBytes));
  change(view, 4 * clusterBytes);
  return bytes;
}

test("a table without data is read once, however many pieces the image below has", () => {
  const options = { clusterBytes: 2 * MIB, sizeBytes: 512 * GIB };
  let reads = 0;
  const file = sourceOf(imageWith(options, () => undefined));
  const top: SourceFile = {
    ...file,
    read(offset, length) {
      reads += 1;
      return file.read(offset, length);
    },
  };
  const base = sourceOf(new Uint8Array(64 * MIB).fill(1));
  const image = { formats: ["qcow2", "raw"], format: "raw", sizeBytes: 512 * GIB, options: {} } as const;
  expect([...convertImage([top, base], image)].length).toBe(32);
  // The table has 32 parts of 64 KiB.
  expect(reads).toBeLessThan(64);
});

test("a compressed cluster is decompressed once, however many pieces of it are visible", () => {
  const small = { clusterBytes: 512, sizeBytes: 32 * KIB };
  const top = imageWith(small, (view, table) => {
    for (let cluster = 0; cluster < 64; cluster += 2) view.setBigUint64(table + cluster * 8, 1n);
  });
  const large = { clusterBytes: 16 * KIB, sizeBytes: 32 * KIB };
  const packed = deflateRawSync(new Uint8Array(16 * KIB).fill(7));
  const file = sourceOf(
    imageWith(large, (view, table) => {
      for (const [at, cluster] of [5, 6].entries()) {
        view.setBigUint64(table + at * 8, (1n << 62n) + BigInt(cluster * 16 * KIB));
        new Uint8Array(view.buffer).set(packed, cluster * 16 * KIB);
      }
    }),
  );
  let calls = 0;
  const base: SourceFile = {
    ...file,
    decompress(...of) {
      calls += 1;
      return file.decompress(...of);
    },
  };
  const image = {
    formats: ["qcow2", "qcow2"],
    format: "qcow2",
    sizeBytes: 32 * KIB,
    options: { clusterBytes: 512 },
  } as const;
  const writes = [...convertImage([sourceOf(top), base], image)];
  const isData = ({ bytes }: { readonly bytes: Uint8Array }): boolean => bytes.every((byte) => byte === 7);
  expect([calls, writes.filter(isData).length]).toEqual([2, 32]);
});
