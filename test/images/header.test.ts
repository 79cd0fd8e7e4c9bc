import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SvirtError } from "../../src/errors.ts";
import type { ImageHeader } from "../../src/images/element.ts";
import { claimedFormat, parseImageHeader } from "../../src/images/header.ts";
import { extension, type HeaderOptions, qcow2Bytes } from "./qcow2-bytes.ts";

const parse = (options: HeaderOptions): ImageHeader => parseImageHeader(qcow2Bytes(options), "qcow2");

describe("parseImageHeader() of qcow2", () => {
  test("reads an image that stands alone", () => {
    expect(parse({})).toEqual({ format: "qcow2", virtualSizeBytes: 1_048_576, corrupt: false });
  });

  test("reads the backing file and its format in both versions", () => {
    for (const version of [2, 3] as const) {
      const header = parse({
        version,
        backingFile: "base.raw",
        extensions: [[extension.backingFormat, "raw"]],
      });
      expect(header).toMatchObject({ backingFile: "base.raw", backingFormat: "raw" });
    }
  });

  test("takes an empty format of the backing file as missing, as QEMU does", () => {
    const header = parse({ backingFile: "base.raw", extensions: [[extension.backingFormat, ""]] });
    expect(header).toEqual(parse({ backingFile: "base.raw" }));
    expect(header.backingFormat).toBeUndefined();
  });

  test("passes over extensions that concern no other file, known or not", () => {
    const extensions = [extension.bitmaps, extension.crypto, 0x12345678].map(
      (type) => [type, "12345"] as const,
    );
    expect(
      parse({ backingFile: "b", extensions: [...extensions, [extension.backingFormat, "qcow2"]] }),
    ).toMatchObject({
      backingFile: "b",
      backingFormat: "qcow2",
    });
  });

  test("names the data file where the feature bit is set, and only there", () => {
    const extensions = [[extension.dataFile, "disk.data"]] as const;
    expect(parse({ extensions, features: 4n }).dataFile).toBe("disk.data");
    expect(parse({ extensions }).dataFile).toBeUndefined();
    expect(() => parse({ features: 4n })).toThrow("it has external data but names no data file");
  });

  test("names the encryption and the corrupt mark", () => {
    expect(parse({ encryption: 2 }).encryption).toBe("luks");
    expect(parse({ features: 2n }).corrupt).toBe(true);
  });

  test("refuses an unknown incompatible feature by the name that the image gives it", () => {
    const row = `\0${String.fromCharCode(40)}${"time travel".padEnd(46, "\0")}`;
    expect(() => parse({ features: 1n << 40n, extensions: [[extension.featureNames, row]] })).toThrow(
      "time travel",
    );
    expect(() => parse({ features: 1n << 41n })).toThrow("bit 41");
  });

  test.each([
    ["a cluster size out of bounds", { clusterBits: 22 }, "its clusters have 2^22 bytes"],
    ["a header that is too short", { headerLength: 96 }, "its header length is 96"],
    ["an unknown encryption", { encryption: 3 }, "its encryption method is 3"],
    ["a long backing format", { extensions: [[extension.backingFormat, "q".repeat(16)]] }, "16 letters"],
    [
      "two backing formats",
      {
        extensions: [
          [extension.backingFormat, "raw"],
          [extension.backingFormat, "qcow2"],
        ],
      },
      "twice",
    ],
    ["a name with NUL", { backingFile: "a\0b" }, "not UTF-8 text"],
    ["compression bits without a type", { features: 8n }, "contradict each other"],
  ] satisfies [string, HeaderOptions, string][])("refuses %s", (_, options, message) => {
    expect(() => parse(options)).toThrow(message);
  });

  test("refuses a header that is cut off anywhere in its fixed part", () => {
    const whole = qcow2Bytes({ backingFile: "base.raw" });
    for (let length = 0; length < 104; length += 1) {
      expect(() => parseImageHeader(whole.subarray(0, length), "qcow2")).toThrow(SvirtError);
    }
  });

  test("meets no mutated header with anything but an answer or a SvirtError", () => {
    const seed = qcow2Bytes({
      backingFile: "base.raw",
      extensions: [
        [extension.backingFormat, "raw"],
        [extension.dataFile, "d"],
      ],
    });
    const change = fc.tuple(fc.nat(160), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), fc.nat(1024), (changes, length) => {
        const bytes = seed.slice();
        for (const [at, value] of changes) bytes[at] = value;
        expectAnswer(bytes.subarray(0, length));
      }),
      { numRuns: 5_000 },
    );
  });
});

test("parseImageHeader() of raw does not look at the bytes", () => {
  expect(parseImageHeader(qcow2Bytes({ backingFile: "/etc/shadow" }), "raw")).toEqual({ format: "raw" });
});

test("parseImageHeader() meets random bytes with an answer or a SvirtError", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => expectAnswer(bytes)));
});

test("claimedFormat() knows the formats by their first bytes, and calls the rest raw", () => {
  expect(claimedFormat(qcow2Bytes({}))).toBe("qcow2");
  expect(claimedFormat(new TextEncoder().encode("KDMV...."))).toBe("vmdk");
  expect(claimedFormat(new Uint8Array(512))).toBe("raw");
  expect(claimedFormat(new Uint8Array(0))).toBe("raw");
});

function expectAnswer(bytes: Uint8Array): void {
  for (const format of ["qcow2", "qed"] as const) {
    try {
      expect(parseImageHeader(bytes, format).format).toBe(format);
    } catch (error) {
      expect(error).toBeInstanceOf(SvirtError);
    }
  }
}
