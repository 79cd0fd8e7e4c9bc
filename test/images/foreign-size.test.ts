import { describe, expect, test } from "bun:test";
import { foreignCapacity } from "../../src/images/foreign-size.ts";
import { vmdkBytes, vpcBytes } from "./foreign-bytes.ts";

const MIB = 1024 * 1024;

describe("foreignCapacity()", () => {
  test("reads the size of VMDK and VPC", () => {
    expect(foreignCapacity("vmdk", vmdkBytes(50 * MIB))).toBe(50 * MIB);
    expect(foreignCapacity("vpc", vpcBytes(50 * MIB))).toBe(50 * MIB);
  });

  test("reads no size of a descriptor, an older header or a part of a sector", () => {
    expect(foreignCapacity("vmdk", new TextEncoder().encode("COWD".padEnd(512, "\0")))).toBeUndefined();
    expect(foreignCapacity("vmdk", vmdkBytes(MIB).subarray(0, 511))).toBeUndefined();
  });

  test("reads no size above the largest safe integer", () => {
    const bytes = vpcBytes(MIB);
    new DataView(bytes.buffer).setBigUint64(40, 2n ** 60n);
    expect(foreignCapacity("vpc", bytes)).toBeUndefined();
  });
});
