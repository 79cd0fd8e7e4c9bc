import { describe, expect, test } from "bun:test";
import { deflateRawSync } from "node:zlib";
import { SvirtError } from "../../../src/errors.ts";
import { convertImage } from "../../../src/images/conversion/convert-image.ts";
import type { ImageWrite } from "../../../src/images/image-writes.ts";
import { formatNewImage } from "../../../src/images/new-qcow2.ts";
import type { Qcow2Options } from "../../../src/images/qcow2-features.ts";
import { sourceOf } from "../../memory-host/converted-bytes.ts";

const MIB = 2 ** 20;
/** Places of an image with clusters of 512 bytes, of which the first four are header, counts and L1 table. */
const [CLUSTER, L1, L2, DATA] = [512, 3 * 512, 4 * 512, 5 * 512] as const;
/** Bytes that an L2 table maps. */
const BY_TABLE = 64 * 512;
const COMPRESSED = 1n << 62n;

/** Returns an image of a megabyte with an L2 table and a cluster of data, after a change. */
function imageWith(change: (view: DataView) => void, options: Qcow2Options = {}): Uint8Array {
  const empty = formatNewImage({
    format: "qcow2",
    sizeBytes: MIB,
    options: { clusterBytes: 512, ...options },
  });
  const bytes = new Uint8Array(16 * CLUSTER);
  bytes.set(empty.subarray(0, L2));
  bytes.fill(7, DATA, DATA + CLUSTER);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(L1, BigInt(L2));
  view.setBigUint64(L2, BigInt(DATA));
  change(view);
  return bytes;
}

/** Converts an image, and returns the writes. */
function convert(bytes: Uint8Array, format: "raw" | "qcow2" = "raw"): readonly ImageWrite[] {
  const image = { formats: ["qcow2"], format, sizeBytes: 2 ** 40, options: {} } as const;
  return [...convertImage([sourceOf(bytes)], image)];
}

test("an image with right tables is converted, and its data is at the right place", () => {
  const [first, ...others] = convert(imageWith(() => undefined));
  expect([first?.offset, first?.bytes.subarray(0, CLUSTER), others]).toEqual([
    0,
    new Uint8Array(CLUSTER).fill(7),
    [],
  ]);
});

describe("an image is refused", () => {
  test.each<readonly [string, (view: DataView) => void, string]>([
    ["whose L2 table is behind the file", (view) => view.setBigUint64(L1, 2n ** 40n), "an L2 table is at"],
    ["whose cluster is behind the end", (view) => view.setBigUint64(4 * 512, 2n ** 20n), "a cluster is at"],
    ["whose cluster is behind the file", (view) => view.setBigUint64(L2, 2n ** 50n), "a cluster is at"],
    [
      "whose L1 table is at the highest place",
      (view) => view.setBigUint64(40, 2n ** 63n),
      "9223372036854775808",
    ],
    [
      "whose L1 table is between two clusters",
      (view) => view.setBigUint64(40, 1537n),
      "its tables are at 1537",
    ],
    [
      "whose L1 table is shorter than its size",
      (view) => view.setUint32(36, 3),
      "its L1 table has 3 entries",
    ],
    [
      "whose L1 table is longer than 32 MiB",
      (view) => view.setUint32(36, 2 ** 22 + 1),
      "its L1 table has 4194305",
    ],
    [
      "whose size is more than its tables map",
      (view) => view.setBigUint64(24, 2n ** 50n),
      "its L1 table has",
    ],
    ["whose size is no number of svirt", (view) => view.setBigUint64(24, 2n ** 60n), "the number at 24"],
    ["that is encrypted", (view) => view.setUint32(32, 2), "it is encrypted (luks)"],
    [
      "whose compressed cluster is behind the file",
      (view) => view.setBigUint64(L2, COMPRESSED + 2n ** 40n),
      "a compressed cluster is at",
    ],
    [
      "whose compressed cluster is none",
      (view) => view.setBigUint64(L2, COMPRESSED + BigInt(DATA)),
      "has other data",
    ],
  ])("%s", (_, ...[change, why]) => {
    for (const format of ["raw", "qcow2"] as const)
      expect(() => convert(imageWith(change), format)).toThrow(why);
  });

  test("with zeros in version 2, which has none", () => {
    const bytes = imageWith((view) => view.setBigUint64(L2, 1n), { compat: "0.10" });
    expect(() => convert(bytes)).toThrow("a cluster of zeros");
  });

  test.each([
    ["longer than its cluster", new Uint8Array(CLUSTER + 1)],
    ["shorter than its cluster", new Uint8Array(CLUSTER - 1)],
  ])("whose compressed cluster is %s", (_, content) => {
    const bytes = imageWith((view) => view.setBigUint64(L2, COMPRESSED + BigInt(DATA)));
    const packed = deflateRawSync(content);
    bytes.fill(0, DATA);
    bytes.set(packed, DATA);
    expect(() => convert(bytes)).toThrow("has other data");
  });

  test("whose subcluster is allocated without a place, or both data and zeros", () => {
    const options = { clusterBytes: 16_384, extendedL2: true };
    for (const [place, bits] of [
      [0n, 1n],
      [5n * 16_384n, 1n + (1n << 32n)],
    ] as const) {
      const empty = formatNewImage({ format: "qcow2", sizeBytes: MIB, options });
      const bytes = new Uint8Array(8 * 16_384);
      bytes.set(empty);
      const view = new DataView(bytes.buffer);
      view.setBigUint64(3 * 16_384, 4n * 16_384n);
      view.setBigUint64(4 * 16_384, place);
      view.setBigUint64(4 * 16_384 + 8, bits);
      expect(() => convert(bytes)).toThrow("contradicts itself");
    }
  });
});

test("an image that has become larger since its size was read is refused", () => {
  for (const format of ["raw", "qcow2"] as const) {
    const image = { formats: ["raw"], format, sizeBytes: MIB, options: {} } as const;
    expect(() => [...convertImage([sourceOf(new Uint8Array(MIB + 512).fill(1))], image)]).toThrow(
      "Cannot copy the image: it changed meanwhile",
    );
  }
});

describe("a small image cannot fill a disk", () => {
  test.each([
    ["all tables are one, and all clusters", (view: DataView) => fillTables(view, BigInt(DATA))],
    ["the header is the data, and the tables are too", (view: DataView) => fillTables(view, BigInt(L2))],
  ])("whose tables map a cluster many times: %s", (_, change) => {
    expect(() => convert(imageWith(change))).toThrow("its tables name more data than its 8192 bytes");
  });

  test("whose compressed cluster is mapped many times", () => {
    const bytes = imageWith((view) => {
      view.setBigUint64(24, BigInt(2 ** 22));
      view.setUint32(36, 128);
      // The L1 table is longer, behind the data.
      view.setBigUint64(40, BigInt(8 * CLUSTER));
      for (let at = 0; at < 128; at += 1) view.setBigUint64(8 * CLUSTER + at * 8, BigInt(L2));
      for (let at = 0; at < 64; at += 1) view.setBigUint64(L2 + at * 8, COMPRESSED + BigInt(DATA));
    });
    bytes.fill(0, DATA, DATA + CLUSTER);
    bytes.set(deflateRawSync(new Uint8Array(CLUSTER).fill(1)), DATA);
    expect(() => convert(bytes)).toThrow("its tables name more data than its 8192 bytes");
  });

  function fillTables(view: DataView, cluster: bigint): void {
    for (let at = 0; at < MIB / BY_TABLE; at += 1) view.setBigUint64(L1 + at * 8, BigInt(L2));
    for (let at = 0; at < 64; at += 1) view.setBigUint64(L2 + at * 8, cluster);
  }
});

test("an image with any other bytes is converted or refused, and never larger than its file", () => {
  let seed = 1;
  const next = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * below);
  };
  let [refused, converted] = [0, 0];
  for (let round = 0; round < 3000; round += 1) {
    const bytes = imageWith((view) => {
      for (let change = 0; change <= next(6); change += 1) {
        // Not the size: an image may have any number of zeros.
        const at = [next(24), 36 + next(68), L1 + next(CLUSTER), L2 + next(CLUSTER)][next(4)] ?? 0;
        view.setUint8(at, next(256));
      }
    });
    try {
      const writes = convert(bytes);
      expect(writes.reduce((sum, write) => sum + write.bytes.length, 0)).toBeLessThanOrEqual(16 * 4096);
      converted += 1;
    } catch (error) {
      expect(error).toBeInstanceOf(SvirtError);
      refused += 1;
    }
  }
  expect([refused > 300, converted > 300]).toEqual([true, true]);
});
