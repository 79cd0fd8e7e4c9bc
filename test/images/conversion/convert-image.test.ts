// In turn: it takes seconds of a processor.
import { describe, expect, test } from "bun:test";
import fs from "node:fs";
import type { Qcow2Options } from "../../../src/images/qcow2-features.ts";
import { shareOf } from "../../sample.ts";
import { ImageFolder, missing, ok, qemuImg, run } from "./real-images.ts";

const [KIB, MIB, GIB, TIB] = [2 ** 10, 2 ** 20, 2 ** 30, 2 ** 40] as const;
/** QEMU takes long for small clusters. */
const SLOW_MS = 60_000;

/**
 * Commands of qemu-io for an image of 40 MiB: data at odd places, zeros that are written, and data that is
 * removed.
 */
const DATA = [
  "write -P 7 0 512",
  "write -P 8 1049088 3M",
  "write -P 9 8M 1M",
  "write -z 8519680 128k",
  "write -P 0 12M 1M",
  "write -P 10 20M 2M",
  "discard 20M 1M",
  `write -P 11 ${40 * MIB - 512} 512`,
];

/** Options of qemu-img for a source. */
const SOURCES = [
  "compat=1.1",
  "compat=0.10",
  "compat=1.1,cluster_size=512",
  "compat=1.1,cluster_size=2M",
  "compat=1.1,lazy_refcounts=on",
  "compat=1.1,preallocation=metadata",
  "compat=1.1,extended_l2=on,cluster_size=16k",
  "compat=1.1,extended_l2=on,cluster_size=2M",
  "compat=1.1,refcount_bits=1",
] as const;

/** Options of svirt for a target. */
const TARGETS: readonly Qcow2Options[] = [
  {},
  { compat: "0.10" },
  { clusterBytes: 512 },
  { clusterBytes: 2 * MIB },
  { clusterBytes: 16 * KIB, extendedL2: true, lazyRefcounts: true },
];

/**
 * Expects an image without errors that has the same data as another one, which qemu-img reads with all files
 * below it.
 */
function expectSame(
  made: string,
  format: "raw" | "qcow2",
  { as, source }: { readonly source: string; readonly as: "raw" | "qcow2" },
): void {
  if (format === "qcow2") expect(run("qemu-img", "check", "-f", format, made)).toMatchObject({ code: 0 });
  expect(run("qemu-img", "compare", "-f", format, "-F", as, made, source)).toEqual({
    code: 0,
    out: "Images are identical.\n",
  });
}

describe.skipIf(qemuImg === null)(`a converted image has the data of its source${missing}`, () => {
  test.each(SOURCES.map((options, place) => [options, place] as const))(
    "qcow2 with %s",
    async (options, place) => {
      using folder = new ImageFolder();
      const source = folder.make("source", ["qcow2", "-o", options, "40M"], DATA);
      const common = { formats: ["qcow2"], sizeBytes: 40 * MIB } as const;
      expectSame(await folder.convert([source], { ...common, format: "raw", options: {} }), "raw", {
        source,
        as: "qcow2",
      });
      for (const to of shareOf(TARGETS, place))
        expectSame(await folder.convert([source], { ...common, format: "qcow2", options: to }), "qcow2", {
          source,
          as: "qcow2",
        });
    },
    SLOW_MS,
  );

  test.each(["zlib", "zstd"])("compressed with %s", async (type) => {
    using folder = new ImageFolder();
    const plain = folder.make("plain", ["raw", "4M"]);
    fs.writeFileSync(
      plain,
      new Uint8Array(4 * MIB).map((_, at) => (at % 250_000 < 100_000 ? (at * 7) % 251 : at >> 16)),
    );
    for (const clusterBytes of [4096, 65_536, 2 * MIB]) {
      const source = folder.at("source");
      const options = `compression_type=${type},cluster_size=${clusterBytes}`;
      ok("qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", "-o", options, plain, source);
      ok("qemu-io", "-f", "qcow2", "-c", "write -P 3 1M 4k", source);
      for (const format of ["raw", "qcow2"] as const) {
        const image = { formats: ["qcow2"], sizeBytes: 4 * MIB, format, options: {} } as const;
        expectSame(await folder.convert([source], image), format, { source, as: "qcow2" });
      }
    }
  });

  test.each(TARGETS)("raw, as qcow2 with %j", async (options) => {
    using folder = new ImageFolder();
    const source = folder.make("source", ["raw", "40M"], DATA.slice(0, -2));
    const image = { formats: ["raw"], sizeBytes: 40 * MIB, format: "qcow2", options } as const;
    const made = await folder.convert([source], image);
    expectSame(made, "qcow2", { source, as: "raw" });
    // QEMU writes into it without an error.
    ok("qemu-io", "-f", "qcow2", "-c", "write -P 5 4M 3M", "-c", "read -P 5 4M 3M", made);
    expect(run("qemu-img", "check", "-f", "qcow2", made).code).toBe(0);
  });

  test("an image with two below it, one of them shorter and with other clusters", async () => {
    using folder = new ImageFolder();
    const base = folder.make("base", ["raw", "10M"], ["write -P 1 0 10M"]);
    const middle = folder.make(
      "middle",
      ["qcow2", "-o", "cluster_size=4k", "-b", base, "-F", "raw", "20M"],
      ["write -P 2 1M 1M", "write -z 5M 1M", "write -P 3 15M 8k"],
    );
    const top = folder.make(
      "top",
      ["qcow2", "-o", "extended_l2=on,cluster_size=128k", "-b", middle, "-F", "qcow2", "40M"],
      ["write -P 4 1536k 4k", "write -z 1M 4k", "write -P 5 30M 100k"],
    );
    for (const format of ["raw", "qcow2"] as const) {
      const formats = ["qcow2", "qcow2", "raw"] as const;
      const made = await folder.convert([top, middle, base], {
        formats,
        sizeBytes: 40 * MIB,
        format,
        options: {},
      });
      expectSame(made, format, { source: top, as: "qcow2" });
      expect(ok("qemu-img", "info", "-f", format, made)).not.toContain("backing file");
    }
  });

  test("an image with internal snapshots, of which it has the current state", async () => {
    using folder = new ImageFolder();
    const source = folder.make("source", ["qcow2", "8M"], ["write -P 1 0 2M"]);
    ok("qemu-img", "snapshot", "-c", "one", source);
    ok("qemu-io", "-f", "qcow2", "-c", "write -P 2 1M 2M", source);
    const image = { formats: ["qcow2"], sizeBytes: 8 * MIB, format: "qcow2", options: {} } as const;
    const made = await folder.convert([source], image);
    expectSame(made, "qcow2", { source, as: "qcow2" });
    expect(ok("qemu-img", "snapshot", "-l", "-f", "qcow2", made)).not.toContain("one");
  });

  test("a larger image has zeros behind the data, also of a raw source that ends within a sector", async () => {
    using folder = new ImageFolder();
    const source = folder.at("source");
    fs.writeFileSync(source, new Uint8Array(MIB + 100).fill(6));
    const image = { formats: ["raw"], sizeBytes: 3 * MIB, format: "qcow2", options: {} } as const;
    const made = await folder.convert([source], image);
    fs.truncateSync(source, 3 * MIB);
    expectSame(made, "qcow2", { source, as: "raw" });
  });
});

describe.skipIf(qemuImg === null)(`what is sparse stays sparse${missing}`, () => {
  test("a few bytes of 6 TiB take a few clusters", async () => {
    using folder = new ImageFolder();
    const source = folder.make(
      "source",
      ["qcow2", `${6 * TIB}`],
      [`write -P 1 ${5 * TIB} 4k`, "write -P 0 1G 64k"],
    );
    const common = { formats: ["qcow2"], sizeBytes: 6 * TIB, options: {} } as const;
    const qcow2 = await folder.convert([source], { ...common, format: "qcow2" });
    expect(fs.statSync(qcow2).size).toBeLessThan(MIB);
    expectSame(qcow2, "qcow2", { source, as: "qcow2" });
    const raw = await folder.convert([source], { ...common, format: "raw" });
    expect(fs.statSync(raw).blocks * 512).toBeLessThanOrEqual(64 * KIB);
    expect(fs.statSync(raw).size).toBe(6 * TIB);
  });

  test("zeros of a raw image take no space, and its holes are not read", async () => {
    using folder = new ImageFolder();
    const source = folder.at("source");
    fs.writeFileSync(source, new Uint8Array(MIB));
    fs.truncateSync(source, 100 * GIB);
    const image = { formats: ["raw"], sizeBytes: 100 * GIB, format: "qcow2", options: {} } as const;
    expect(fs.statSync(await folder.convert([source], image)).size).toBeLessThan(MIB);
  });
});
