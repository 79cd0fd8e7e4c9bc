import { describe, expect, test } from "bun:test";
import { walkChain } from "../../src/images/chain.ts";
import { parseLuksHeader } from "../../src/images/luks-header.ts";
import { type LuksOptions, luksBytes, PAYLOAD } from "./luks-bytes.ts";
import { qcow2Bytes } from "./qcow2-bytes.ts";

const MIB = 1024 * 1024;
const SIZE = PAYLOAD * 512 + MIB;

describe("parseLuksHeader()", () => {
  test("gives the size of the data behind the header", () => {
    expect(parseLuksHeader(luksBytes(), SIZE)).toMatchObject({ encryption: "luks", virtualSizeBytes: MIB });
    expect(parseLuksHeader(luksBytes(), undefined).virtualSizeBytes).toBeUndefined();
  });

  test.each<readonly [string, LuksOptions, string]>([
    ["another version", { version: 2 }, "its version is 2"],
    ["a name that does not end", { cipher: "a".repeat(32) }, "the name of its cipher does not end"],
    ["an unknown state of a slot", { state: 1 }, "the state of its key slot 0 is 1"],
    ["other stripes", { stripes: 1 }, "its key slot 0 has 1 stripes"],
    ["a key within the header", { keyAt: 1 }, "its key slot 0 is at sector 1,"],
    ["a key within the data", { keyAt: PAYLOAD - 1 }, `its key slot 0 is at sector ${PAYLOAD - 1},`],
    ["data within the keys", { payload: 8 }, "its key slot 0 is at sector 8, and its data at 8"],
    ["no key", { keyBytes: 0 }, "it has no key"],
    ["no active slot", { state: 0xdead }, "it has no key"],
    [
      "data behind the end",
      { payload: 8192 },
      `its data begin at byte ${8192 * 512}, and the volume ends at ${SIZE}`,
    ],
  ])("refuses %s", (_, options, why) => {
    expect(() => parseLuksHeader(luksBytes(options), SIZE)).toThrow(why);
  });

  test("refuses a file that is cut off, and one of another format", () => {
    expect(() => parseLuksHeader(luksBytes().subarray(0, 300), SIZE)).toThrow("it ends at byte 300");
    expect(() => parseLuksHeader(qcow2Bytes({}), SIZE)).toThrow("it does not begin with LUKS");
  });
});

describe("walkChain() of encrypted images", () => {
  const walk = (bytes: Uint8Array, format: "raw" | "qcow2", isEncrypted?: true) =>
    walkChain(
      { path: "/i", format, readOnly: false, isEncrypted },
      {
        facts: () => ({ type: "file", id: { device: "1", inode: "2" }, sizeBytes: SIZE }),
        read: () => bytes,
        formatOf: () => "raw",
      },
    );

  test("follows one whose secret is named", () => {
    expect(walk(luksBytes(), "raw", true)).toHaveLength(1);
    expect(walk(qcow2Bytes({ encryption: 2 }), "qcow2", true)).toHaveLength(1);
  });

  test("refuses a secret without encryption, encryption without a secret, and what QEMU does not open", () => {
    expect(() => walk(qcow2Bytes({}), "qcow2", true)).toThrow("is not encrypted, and a secret is named");
    expect(() => walk(qcow2Bytes({ encryption: 2 }), "qcow2")).toThrow("and no secret is named for it");
    expect(() => walk(qcow2Bytes({ encryption: 1 }), "qcow2", true)).toThrow("is encrypted (aes)");
    expect(() => walk(new Uint8Array(4096), "raw", true)).toThrow("it does not begin with LUKS");
  });
});
