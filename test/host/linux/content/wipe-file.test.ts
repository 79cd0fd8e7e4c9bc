import { describe, expect, test } from "bun:test";
import {
  closeSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { lockImage } from "../../../../src/host/linux/content/image-lock.ts";
import { wipeFile } from "../../../../src/host/linux/content/wipe-file.ts";
import { RealFolder } from "../../../real-host/folder.ts";

const MIB = 1024 * 1024;

/** A file of 9 MiB that has data in its first MiB. */
function halfFile(folder: RealFolder): string {
  const path = `${folder.path}/v`;
  writeFileSync(path, new Uint8Array(MIB).fill(7), { mode: 0o640 });
  truncateSync(path, 9 * MIB);
  return path;
}

describe("wipeFile()", () => {
  test.each([
    ["zero", MIB],
    ["trim", 0],
  ] as const)("%s makes all bytes zero, and leaves %d bytes of disk space", async (how, allocatedBytes) => {
    using folder = new RealFolder();
    const path = halfFile(folder);
    await wipeFile(folder.id(path), how);
    expect(readFileSync(path).equals(new Uint8Array(9 * MIB))).toBe(true);
    expect(lstatSync(path).blocks * 512).toBe(allocatedBytes);
  });

  test.each(["zero", "trim"] as const)(
    "%s leaves an empty file and a file of a few bytes their size",
    async (how) => {
      using folder = new RealFolder();
      for (const text of ["", "abc"]) {
        const path = folder.file("few", text);
        await wipeFile(folder.id(path), how);
        expect([...readFileSync(path)]).toEqual([...text].map(() => 0));
      }
    },
  );

  test("refuses an image that a guest has open, as QEMU locks it", async () => {
    using folder = new RealFolder();
    const path = halfFile(folder);
    const fd = openSync(path, "r+");
    // As the descriptor of another process: svirt unlocks those that it has inherited.
    const child = Bun.spawn(["sleep", "60"], { stdio: [fd, "ignore", "ignore"] });
    await lockImage(fd, path, { as: "writer", isFirst: true });
    closeSync(fd);
    try {
      await expect(wipeFile(folder.id(path), "zero")).rejects.toThrow("another program has locked it");
      expect(readFileSync(path)[0]).toBe(7);
    } finally {
      child.kill();
    }
  });

  test("refuses another file in the place of the one that was inspected", async () => {
    using folder = new RealFolder();
    const inspected = folder.id(folder.file("v", "old"));
    folder.file("other", "other");
    renameSync(`${folder.path}/other`, inspected.path);
    await expect(wipeFile(inspected, "trim")).rejects.toThrow("was replaced");
    expect(readFileSync(inspected.path, "utf8")).toBe("other");
  });
});
