import { afterAll, describe, expect, test } from "bun:test";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HEADER_BYTES, parseImageHeader } from "../../src/images/header.ts";
import { formatNewImage, type NewImage } from "../../src/images/new-qcow2.ts";

const MIB = 1024 * 1024;
const qemuImg = Bun.which("qemu-img");
const missing = qemuImg === null ? " (skipped: qemu-img is missing)" : "";
const folder = fs.mkdtempSync(join(tmpdir(), "svirt-qcow2-"));
afterAll(() => fs.rmSync(folder, { recursive: true }));

const image = (options: Partial<NewImage>): NewImage => ({
  format: "qcow2",
  sizeBytes: 64 * MIB,
  ...options,
});
const backing = { path: `${folder}/base image.raw`, format: "raw" };

test("formatNewImage() writes a header that svirt's own reader reads back", () => {
  const bytes = formatNewImage(image({ backing })).subarray(0, HEADER_BYTES);
  const header = parseImageHeader(bytes, "qcow2");
  expect([header.virtualSizeBytes, header.backingFile, header.backingFormat]).toEqual([
    64 * MIB,
    backing.path,
    "raw",
  ]);
});

test("formatNewImage() writes nothing for a raw image", () => {
  expect(formatNewImage(image({ format: "raw" }))).toEqual(new Uint8Array());
});

test("formatNewImage() refuses what qcow2 cannot hold", () => {
  expect(() => formatNewImage(image({ sizeBytes: Number.MAX_SAFE_INTEGER }))).toThrow("too many");
  const long = { path: `/${"a".repeat(1023)}`, format: "raw" };
  expect(() => formatNewImage(image({ backing: long }))).toThrow("1024 bytes");
});

describe.skipIf(qemuImg === null)(`qemu-img${missing}`, () => {
  const run = (...words: readonly string[]): { code: number; out: string } => {
    const { exitCode, stderr, stdout } = Bun.spawnSync([qemuImg ?? "", ...words]);
    return { code: exitCode, out: `${stdout}${stderr}` };
  };

  test.each([512, MIB, 64 * MIB, 512 * MIB + 512, 3 * 2 ** 40])(
    "finds an image of %d bytes whole",
    (sizeBytes) => {
      const path = join(folder, `${sizeBytes}.qcow2`);
      fs.writeFileSync(path, formatNewImage(image({ sizeBytes })));
      const { code, out } = run("check", "--output=json", "-f", "qcow2", path);
      expect([code, out]).toEqual([0, expect.not.stringContaining("leaks")]);
      const info = JSON.parse(run("info", "--output=json", "-f", "qcow2", path).out);
      expect([info["virtual-size"], info["format-specific"].data.compat, info["backing-filename"]]).toEqual([
        sizeBytes,
        "1.1",
        undefined,
      ]);
    },
  );

  test("reads the backing file through it, and writes into it alone", () => {
    const path = join(folder, "top.qcow2");
    fs.writeFileSync(backing.path, new Uint8Array(MIB).fill(7));
    fs.writeFileSync(path, formatNewImage(image({ sizeBytes: MIB, backing })));
    expect(run("compare", "-F", "raw", "-f", "qcow2", path, backing.path)).toEqual({
      code: 0,
      out: "Images are identical.\n",
    });
    const info = JSON.parse(run("info", "--output=json", path).out);
    expect([info["full-backing-filename"], info["backing-filename-format"]]).toEqual([backing.path, "raw"]);
    Bun.spawnSync(["qemu-io", "-f", "qcow2", "-c", "write -P 9 64k 64k", path]);
    expect(run("check", path).code).toBe(0);
    expect(fs.readFileSync(backing.path).every((byte) => byte === 7)).toBe(true);
    expect(run("compare", "-F", "raw", "-f", "qcow2", path, backing.path).out).toContain("at offset 65536");
  });
});

describe("formatNewImage() refuses options that contradict each other", () => {
  test.each([
    [{ clusterBytes: 256 }, "clusters of 256 bytes"],
    [{ clusterBytes: 4 * MIB }, "clusters of 4194304 bytes"],
    [{ clusterBytes: 65_537 }, "clusters of 65537 bytes"],
    [{ compat: "0.10", lazyRefcounts: true }, "lazy_refcounts not supported with compat level 0.10"],
    [{ compat: "0.10", extendedL2: true }, "'extended_l2' not supported with compat level 0.10"],
    [{ clusterBytes: 8192, extendedL2: true }, "extended_l2 needs clusters of at least 16384 bytes"],
  ] as const)("%j", (options, why) => {
    expect(() => formatNewImage(image({ options }))).toThrow(why);
  });

  test("and a backing file's name that does not fit into the first cluster", () => {
    const long = { path: `/${"a".repeat(500)}`, format: "raw" };
    const options = { clusterBytes: 512 };
    expect(() => formatNewImage(image({ backing: long, options }))).toThrow("501 bytes");
  });
});

describe.skipIf(qemuImg === null)(`an image with options, for QEMU${missing}`, () => {
  const run = (...words: readonly string[]): string => {
    const { exitCode, stderr, stdout } = Bun.spawnSync([...words]);
    return `${exitCode} ${stdout}${stderr}`;
  };

  test.each([
    [{ compat: "0.10" }, 64 * MIB],
    [{ compat: "0.10", clusterBytes: 512 }, 3 * 2 ** 30],
    [{ clusterBytes: 512 }, 64 * 2 ** 30],
    [{ clusterBytes: 512, lazyRefcounts: true }, 2 ** 30 + 512],
    [{ clusterBytes: 4096, lazyRefcounts: true }, 2 ** 40],
    [{ clusterBytes: 16_384, extendedL2: true }, 2 ** 40],
    [{ clusterBytes: 2 * MIB, extendedL2: true, lazyRefcounts: true }, 2 ** 44],
  ] as const)(
    "%j of %d bytes is whole, has the options, and stays whole when it is written",
    (options, size) => {
      const path = join(folder, "options.qcow2");
      fs.writeFileSync(path, formatNewImage(image({ sizeBytes: size, options })));
      expect(run("qemu-img", "check", "-f", "qcow2", path)).toContain("0 No errors were found on the image.");
      const info = JSON.parse(run("qemu-img", "info", "--output=json", "-f", "qcow2", path).slice(2));
      const { data } = info["format-specific"];
      expect([info["virtual-size"], info["cluster-size"], data.compat]).toEqual([
        size,
        "clusterBytes" in options ? options.clusterBytes : 65_536,
        "compat" in options ? options.compat : "1.1",
      ]);
      expect([data["lazy-refcounts"] ?? false, data["extended-l2"] ?? false]).toEqual([
        "lazyRefcounts" in options,
        "extendedL2" in options,
      ]);
      const far = size - 512;
      run("qemu-io", "-f", "qcow2", "-c", `write -P 5 ${far} 512`, "-c", "write -P 6 0 128k", path);
      expect(run("qemu-img", "check", "-f", "qcow2", path)).toContain("0 No errors were found");
      const read = run(
        "qemu-io",
        "-f",
        "qcow2",
        "-c",
        `read -P 5 ${far} 512`,
        "-c",
        "read -P 6 0 128k",
        path,
      );
      expect(read).not.toContain("failed");
    },
  );
});
