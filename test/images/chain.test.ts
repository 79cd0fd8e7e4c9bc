import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SvirtError } from "../../src/errors.ts";
import { type ImageFacts, type ImageReader, walkChain } from "../../src/images/chain.ts";
import { claimedFormat, HEADER_BYTES } from "../../src/images/header.ts";
import { extension, qcow2Bytes } from "./qcow2-bytes.ts";

type Entry = Uint8Array | ImageFacts["type"];

/**
 * Returns a reader of files in memory: an entry is the bytes of a regular file, or another type. It records
 * each read.
 */
function readerOf(
  entries: Readonly<Record<string, Entry>>,
  sameInode: Readonly<Record<string, string>> = {},
) {
  const files = new Map(Object.entries(entries));
  const reads: string[] = [];
  const reader: ImageReader<ImageFacts> = {
    facts: (path) => {
      const entry = files.get(path);
      if (entry === undefined) return undefined;
      const type = typeof entry === "string" ? entry : "file";
      return { type, id: { device: "8:1", inode: sameInode[path] ?? path } };
    },
    read: ({ id }, offset, length) => {
      reads.push(id.inode);
      const entry = files.get(id.inode);
      return entry instanceof Uint8Array ? entry.subarray(offset, offset + length) : new Uint8Array(0);
    },
    formatOf: ({ id }) => claimedFormat(reader.read({ type: "file", id }, 0, HEADER_BYTES)),
  };
  return { reader, reads };
}

const overlay = (backingFile: string, format?: string): Uint8Array =>
  qcow2Bytes({ backingFile, extensions: format === undefined ? [] : [[extension.backingFormat, format]] });
const top = { path: "/i/top.qcow2", format: "qcow2", readOnly: false } as const;

describe("walkChain()", () => {
  test("lists top, middle and base, and writes to the top alone", () => {
    const { reader, reads } = readerOf({
      "/i/top.qcow2": overlay("mid.qcow2", "qcow2"),
      "/i/mid.qcow2": overlay("/base/base.raw", "raw"),
      "/base/base.raw": new Uint8Array(512),
    });
    const chain = walkChain(top, reader).map(({ path, format, role, readOnly }) => [
      path,
      format,
      role,
      readOnly,
    ]);
    expect(chain).toEqual([
      ["/i/top.qcow2", "qcow2", "top", false],
      ["/i/mid.qcow2", "qcow2", "backing", true],
      ["/base/base.raw", "raw", "backing", true],
    ]);
    expect(reads).not.toContain("/base/base.raw");
  });

  test("puts a data file right after its image, as writable as that is", () => {
    const withData = (backing: string) =>
      qcow2Bytes({
        backingFile: backing,
        features: 4n,
        extensions: [
          [extension.backingFormat, "qcow2"],
          [extension.dataFile, "top.data"],
        ],
      });
    const { reader } = readerOf({
      "/i/top.qcow2": withData("base.qcow2"),
      "/i/top.data": new Uint8Array(512),
      "/i/base.qcow2": qcow2Bytes({ features: 4n, extensions: [[extension.dataFile, "base.data"]] }),
      "/i/base.data": new Uint8Array(512),
    });
    expect(walkChain(top, reader).map(({ path, role, readOnly }) => `${path} ${role} ${readOnly}`)).toEqual([
      "/i/top.qcow2 top false",
      "/i/top.data data-file false",
      "/i/base.qcow2 backing true",
      "/i/base.data data-file true",
    ]);
  });

  test("takes a declared data file instead of the header's, and only where the header has one", () => {
    const { reader } = readerOf({
      "/i/top.qcow2": qcow2Bytes({ features: 4n, extensions: [[extension.dataFile, "gone"]] }),
      "/i/data": new Uint8Array(512),
      "/i/plain.qcow2": qcow2Bytes({}),
    });
    const dataFile = { path: "/i/data", slice: { offset: 0, size: 512 } };
    expect(walkChain({ ...top, dataFile }, reader)[1]).toMatchObject({
      path: "/i/data",
      format: "raw",
      role: "data-file",
      slice: { offset: 0, size: 512 },
    });
    const ask = () => walkChain({ ...top, path: "/i/plain.qcow2", dataFile }, reader);
    expect(ask).toThrow("/i/plain.qcow2 has no external data file");
  });

  test("reads the header of a part of a file where the part begins", () => {
    const bytes = new Uint8Array(4096);
    bytes.set(overlay("/base/base.raw", "raw"), 2048);
    const { reader } = readerOf({ "/i/top.qcow2": bytes, "/base/base.raw": new Uint8Array(512) });
    const slice = { offset: 2048, size: 2048 };
    expect(walkChain({ ...top, slice }, reader).map(({ path }) => path)).toEqual([
      "/i/top.qcow2",
      "/base/base.raw",
    ]);
    expect(() => walkChain(top, reader)).toThrow("it does not begin with QFI");
  });

  test("takes declared images without asking, and goes on or ends after the last as it is told", () => {
    const { reader } = readerOf({
      "/i/top.qcow2": overlay("nbd://elsewhere/x", "raw"),
      "/i/mid.qcow2": overlay("/base/base.raw", "raw"),
      "/base/base.raw": new Uint8Array(512),
    });
    const backing = [{ path: "/i/mid.qcow2", format: "qcow2" }] as const;
    const paths = (below: "nothing" | "as-probed") =>
      walkChain({ ...top, backing, below }, reader).map(({ path, role }) => `${path} ${role}`);
    expect(paths("nothing")).toEqual(["/i/top.qcow2 top", "/i/mid.qcow2 backing"]);
    expect(paths("as-probed")).toEqual([
      "/i/top.qcow2 top",
      "/i/mid.qcow2 backing",
      "/base/base.raw backing",
    ]);
    expect(walkChain({ ...top, backing: [], below: "nothing" }, reader)).toHaveLength(1);
  });

  test("believes a raw image nothing, whatever header a guest wrote into it", () => {
    const { reader, reads } = readerOf({ "/i/top.raw": overlay("/etc/shadow", "raw") });
    expect(walkChain({ ...top, path: "/i/top.raw", format: "raw" }, reader)).toHaveLength(1);
    expect(reads).toEqual([]);
  });

  test("guesses an unrecorded format only where nothing hangs on it", () => {
    const base = (bytes: Uint8Array) =>
      readerOf({ "/i/top.qcow2": overlay("base"), "/i/base": bytes }).reader;
    expect(walkChain(top, base(new Uint8Array(512))).at(-1)).toMatchObject({ format: "raw" });
    expect(walkChain(top, base(qcow2Bytes({}))).at(-1)).toMatchObject({ format: "qcow2" });
    expect(() => walkChain(top, base(overlay("/etc/shadow", "raw")))).toThrow(
      "does not record the format of /i/base",
    );
  });

  test("refuses a loop, by name or by another name of the same file, and prints the chain", () => {
    const self = readerOf({ "/i/top.qcow2": overlay("top.qcow2", "qcow2") });
    expect(() => walkChain(top, self.reader)).toThrow("/i/top.qcow2 occurs twice in its chain");
    const link = readerOf(
      {
        "/i/top.qcow2": overlay("mid.qcow2", "qcow2"),
        "/i/mid.qcow2": overlay("link", "qcow2"),
        "/i/link": "file",
      },
      { "/i/link": "/i/top.qcow2" },
    );
    expect(() => walkChain(top, link.reader)).toThrow(
      "Cannot follow the image /i/top.qcow2: /i/link occurs twice in its chain (first as /i/top.qcow2); its chain is /i/top.qcow2 (qcow2) <- /i/mid.qcow2 (qcow2)",
    );
  });

  test("refuses a chain of more than 200 files", () => {
    const files = Object.fromEntries(
      [...Array(250).keys()].map((n) => [`/i/${n}`, overlay(`${n + 1}`, "qcow2")]),
    );
    expect(() => walkChain({ ...top, path: "/i/0" }, readerOf(files).reader)).toThrow("more than 200 files");
  });

  test.each(["folder", "fifo", "socket", "character"] as const)("refuses a %s", (type) => {
    const { reader } = readerOf({ "/i/top.qcow2": overlay("x", "raw"), "/i/x": type });
    expect(() => walkChain(top, reader)).toThrow(`/i/x is a ${type}, not a file or block device`);
  });

  test("says which file of the chain is missing", () => {
    const { reader } = readerOf({ "/i/top.qcow2": overlay("gone", "raw") });
    expect(kindOf(() => walkChain(top, reader))).toBe("not-found");
    expect(() => walkChain(top, reader)).toThrow(
      "Cannot follow the image /i/top.qcow2: /i/gone does not exist",
    );
  });

  test.each([
    ["an encrypted image", qcow2Bytes({ encryption: 2 }), "/i/top.qcow2 is encrypted (luks)"],
    ["a corrupt image", qcow2Bytes({ features: 2n }), "/i/top.qcow2 is marked as corrupt"],
    ["a network backing file", overlay("nbd://h/x", "raw"), `the protocol "nbd" is not supported`],
    ["an unsupported backing format", overlay("x", "vmdk"), `format "vmdk"`],
    [
      "two opinions about a format",
      overlay(`json:{"driver":"raw","file.filename":"/x"}`, "qcow2"),
      "both raw and qcow2",
    ],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => walkChain(top, readerOf({ "/i/top.qcow2": bytes }).reader)).toThrow(message);
  });

  test("accepts a corrupt image that is only read", () => {
    const { reader } = readerOf({ "/i/top.qcow2": qcow2Bytes({ features: 2n }) });
    expect(walkChain({ ...top, readOnly: true }, reader)).toHaveLength(1);
  });
});

describe("walkChain() of images whose headers a guest has written over", () => {
  const names = ["/i/a", "/i/b", "/i/c", "/i/d"];
  const seed = fc
    .record({
      backingFile: fc.constantFrom("a", "b", "/i/c", "d", "../i/a", "gone", 'json:{"file.filename":"/i/b"}'),
      format: fc.constantFrom("qcow2", "raw", "vmdk"),
      dataFile: fc.constantFrom("b", "/i/d", "gone"),
      features: fc.constantFrom(0n, 0n, 4n),
      version: fc.constantFrom(2 as const, 3 as const),
    })
    .map(({ backingFile, dataFile, features, format, version }) =>
      qcow2Bytes({
        version,
        backingFile,
        features,
        extensions: [
          [extension.backingFormat, format],
          [extension.dataFile, dataFile],
        ],
      }),
    );
  const change = fc.tuple(fc.nat(200), fc.nat(255));
  const image = fc
    .tuple(seed, fc.array(change, { maxLength: 4 }), fc.integer({ min: 60, max: 1024 }))
    .map(([bytes, changes, length]) => {
      for (const [at, value] of changes) bytes[at] = value;
      return bytes.subarray(0, length);
    });

  test("ends, reads nothing but the first bytes of each, and gives an answer or a SvirtError", () => {
    let answers = 0;
    fc.assert(
      fc.property(fc.array(image, { minLength: 4, maxLength: 4 }), (images) => {
        const { reader } = readerOf(Object.fromEntries(images.map((bytes, at) => [names[at] ?? "", bytes])));
        const reads: string[] = [];
        const watched: ImageReader<ImageFacts> = {
          facts: reader.facts,
          read: (facts, offset, length) => {
            expect([offset, length <= HEADER_BYTES]).toEqual([0, true]);
            reads.push(facts.id.inode);
            return reader.read(facts, offset, length);
          },
          formatOf: reader.formatOf,
        };
        try {
          const chain = walkChain({ path: "/i/a", format: "qcow2", readOnly: false }, watched);
          expect(chain.every(({ facts }) => names.includes(facts.id.inode))).toBe(true);
          expect(new Set(chain.map(({ facts }) => facts.id.inode)).size).toBe(chain.length);
          answers += chain.length > 1 ? 1 : 0;
        } catch (error) {
          expect(error).toBeInstanceOf(SvirtError);
        }
        // One read guesses a format that is not recorded, one reads the header.
        expect(reads.length).toBeLessThanOrEqual(2 * names.length);
      }),
      { numRuns: 3_000 },
    );
    // Proves that the headers are not all refused at once.
    expect(answers).toBeGreaterThan(100);
  });
});

function kindOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return error instanceof SvirtError ? error.kind : "other";
  }
}
