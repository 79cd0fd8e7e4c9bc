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
