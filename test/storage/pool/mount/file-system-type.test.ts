import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { fileSystemType, MARKED_BYTES } from "../../../../src/storage/pool/mount/file-system-type.ts";
import { asideOf, nameMissing } from "../../../real-host/missing-programs.ts";

const folder = mkdtempSync("/tmp/svirt-mkfs-");
afterAll(() => rmSync(folder, { recursive: true }));

/** Sizes are the smallest that the program takes for the type. */
const MADE = [
  ["ext4", ["mkfs.ext4", "-q"], 8],
  ["ext4", ["mkfs.ext2", "-q"], 8],
  ["xfs", ["mkfs.xfs", "-q"], 320],
  ["vfat", ["mkfs.vfat", "-F", "12"], 2],
  ["vfat", ["mkfs.vfat", "-F", "16"], 16],
  ["vfat", ["mkfs.vfat", "-F", "32"], 64],
] as const;

describe("fileSystemType()", () => {
  for (const [type, words, mib] of MADE) {
    const lack = nameMissing(words[0]);
    test.skipIf(lack !== undefined)(`is ${type} of what ${words.join(" ")} makes${asideOf(lack)}`, () => {
      const image = `${folder}/image`;
      writeFileSync(image, "");
      truncateSync(image, mib * 1024 * 1024);
      expect(
        Bun.spawnSync([...words, image], { env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" } }).success,
      ).toBe(true);
      expect(fileSystemType(readFileSync(image).subarray(0, MARKED_BYTES))).toBe(type);
      rmSync(image);
    });
  }

  test("is undefined for zeros, for a partition table and for a few bytes", () => {
    const table = new Uint8Array(MARKED_BYTES);
    table.set([0x55, 0xaa], 510);
    for (const bytes of [new Uint8Array(MARKED_BYTES), table, new Uint8Array(4), new Uint8Array()])
      expect(fileSystemType(bytes)).toBeUndefined();
  });
});
