// In turn: it takes seconds of a processor.
import { describe, expect, test } from "bun:test";
import type { ImageBytes } from "../../src/images/image-writes.ts";
import { planResizedQcow2 } from "../../src/images/resized-qcow2.ts";

const [MIB, GIB, TIB] = [2 ** 20, 2 ** 30, 2 ** 40] as const;

describe("planResizedQcow2() of an image made to take long", () => {
  const clusterBytes = 2 * MIB;
  let readBytes = 0;
  /** An image of which every number of a table is the same. */
  const lying = (entries: number, place: bigint): ImageBytes => {
    const header = Buffer.alloc(104);
    header.writeUInt32BE(0x514649fb, 0);
    header.writeUInt32BE(3, 4);
    header.writeUInt32BE(21, 20);
    header.writeUInt32BE(entries, 36);
    header.writeBigUInt64BE(BigInt(4 * clusterBytes), 40);
    header.writeBigUInt64BE(BigInt(64 * clusterBytes), 48);
    header.writeUInt32BE(4, 56);
    header.writeUInt32BE(4, 96);
    header.writeUInt32BE(104, 100);
    const table = new BigUint64Array(clusterBytes * 2).fill(place);
    const bytes = Buffer.from(table.buffer).swap64();
    return {
      sizeBytes: 512 * clusterBytes,
      read: (offset, length) => {
        readBytes += length;
        if (offset === 0) return new Uint8Array(Buffer.concat([header, Buffer.alloc(length)], length));
        const isTable = offset < 68 * clusterBytes;
        return isTable ? new Uint8Array(bytes.subarray(0, length)) : new Uint8Array(length);
      },
    };
  };

  test("reads few of the tables that it names", () => {
    const place = BigInt(100 * clusterBytes);
    readBytes = 0;
    for (const size of [512, GIB, TIB])
      expect(() => planResizedQcow2(lying(2 ** 22, place), size)).toThrow(
        "it has too many L2 tables behind its first 0 bytes",
      );
    const entries = 2 ** 22 + 1;
    expect(() => planResizedQcow2(lying(entries, place), 512)).toThrow(`its L1 table has ${entries} entries`);
    const larger = "its reference counts are those of a larger file";
    expect(() => planResizedQcow2(lying(0, place), 2 ** 50)).toThrow(larger);
    // Of five images whose tables have 8 TiB each
    expect(readBytes).toBeLessThan(GIB);
  });
});
