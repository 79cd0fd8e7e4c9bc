import { afterAll, describe, expect, test } from "bun:test";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ForeignContent, foreignCapacity } from "../../../src/images/foreign/foreign-image.ts";
import { formatVmdk } from "../../../src/images/foreign/new-vmdk.ts";
import { formatVpc } from "../../../src/images/foreign/new-vpc.ts";
import { probeImageFormat } from "../../../src/images/header.ts";

const MIB = 1024 * 1024;
const UUID = "0f4b6d52-9a11-4c0e-8f0e-5d6f1f0c3a77";
const missing = ["qemu-img", "qemu-io"].filter((name) => Bun.which(name) === null).join(", ");
const folder = fs.mkdtempSync(join(tmpdir(), "svirt-foreign-"));
afterAll(() => fs.rmSync(folder, { recursive: true }));

const MAKERS = [
  ["vmdk", (sizeBytes: number) => formatVmdk({ name: 'a "disk"', sizeBytes, uuid: UUID })],
  ["vpc", (sizeBytes: number) => formatVpc({ sizeBytes, uuid: UUID })],
] as const;

function write(path: string, { bytes, parts, sizeBytes }: ForeignContent): void {
  fs.writeFileSync(path, bytes);
  const fd = fs.openSync(path, "r+");
  for (const part of parts) fs.writeSync(fd, part.bytes, 0, part.bytes.length, part.offset);
  fs.ftruncateSync(fd, sizeBytes);
  fs.closeSync(fd);
}

function run(...words: readonly string[]): { code: number; out: string } {
  const { exitCode, stderr, stdout } = Bun.spawnSync([...words]);
  return { code: exitCode, out: `${stdout}${stderr}` };
}

describe.each(MAKERS)("a new image of %s", (format, make) => {
  test("is recognised, with its size", () => {
    const { bytes } = make(50 * MIB);
    expect([probeImageFormat(bytes), foreignCapacity(format, bytes)]).toEqual([format, 50 * MIB]);
  });

  test("is refused with a size that it cannot hold", () => {
    expect(() => make(2041 * 1024 * MIB)).toThrow("too many");
  });

  describe.skipIf(missing !== "")(
    `of qemu-img${missing === "" ? "" : ` (skipped: ${missing} is missing)`}`,
    () => {
      test.each([512 * 3, MIB, 50 * MIB, 50 * MIB + 4096, 130 * 1024 * MIB, 2040 * 1024 * MIB])(
        "with %d bytes is whole and is written",
        (sizeBytes) => {
          const path = join(folder, `${sizeBytes}.${format}`);
          write(path, make(sizeBytes));
          const info = JSON.parse(run("qemu-img", "info", "--output=json", "-f", format, path).out);
          expect([info["virtual-size"], info.format]).toEqual([sizeBytes, format]);
          const at = sizeBytes - 512;
          const work = ["-c", `write -P 7 ${at} 512`, "-c", `read -P 7 ${at} 512`, "-c", "read -P 0 0 512"];
          const end = run("qemu-io", "-f", format, ...work, path);
          expect([end.code, end.out]).toEqual([0, expect.not.stringMatching(/failed|error/)]);
          // qemu-img has no check of vpc, and says so by 63.
          expect(run("qemu-img", "check", "-f", format, path).code).toBe(format === "vpc" ? 63 : 0);
        },
      );
    },
  );
});
