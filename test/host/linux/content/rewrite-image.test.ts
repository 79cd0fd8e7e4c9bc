import { describe, expect, test } from "bun:test";
import { closeSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { lockImage } from "../../../../src/host/linux/content/image-lock.ts";
import { rewriteImage } from "../../../../src/host/linux/content/rewrite-image.ts";
import { RealFolder } from "../../../real-host/folder.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("rewriteImage()", () => {
  test("carries out the writes in their order, and reads zeros behind the end", async () => {
    using folder = new RealFolder();
    const path = folder.file("a", "abc");
    await rewriteImage(folder.id(path), (image) => {
      expect([image.sizeBytes, ...image.read(1, 4)]).toEqual([3, 98, 99, 0, 0]);
      return [
        [{ offset: 4, bytes: bytes("e") }],
        [
          { offset: 0, bytes: bytes("AB") },
          { offset: 1, bytes: bytes("x") },
        ],
      ];
    });
    expect(readFileSync(path, "latin1")).toBe("Axc\0e");
  });

  test("leaves the file as it is if the plan throws, and its length if the first writes fail", async () => {
    using folder = new RealFolder();
    const path = folder.file("a", "abc");
    const fail = () => {
      throw new Error("refused");
    };
    await expect(rewriteImage(folder.id(path), fail)).rejects.toThrow("refused");
    // Behind the largest file of any file system: EFBIG.
    const writes = [
      [
        { offset: 8, bytes: bytes("x") },
        { offset: 2 ** 53 - 8, bytes: bytes("x") },
        { offset: 2 ** 63, bytes: bytes("x") },
      ],
    ];
    await expect(rewriteImage(folder.id(path), () => writes)).rejects.toThrow();
    expect(readFileSync(path, "latin1")).toBe("abc");
  });

  test("refuses an image that a guest has open, as QEMU locks it, and another file in its place", async () => {
    using folder = new RealFolder();
    const path = folder.file("a", "abc");
    const fd = openSync(path, "r+");
    const child = Bun.spawn(["sleep", "60"], { stdio: [fd, "ignore", "ignore"] });
    await lockImage(fd, path, { as: "writer", isFirst: true });
    closeSync(fd);
    try {
      await expect(rewriteImage(folder.id(path), () => [])).rejects.toThrow("another program has locked it");
    } finally {
      child.kill();
    }
    const inspected = folder.id(path);
    renameSync(path, `${path}.was`);
    writeFileSync(path, "new");
    await expect(rewriteImage(inspected, () => [])).rejects.toThrow("was replaced");
  });
});
