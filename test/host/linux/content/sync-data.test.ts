import { describe, expect, test } from "bun:test";
import { keepsOrder } from "../../../../src/host/linux/content/sync-data.ts";

// The numbers are those of linux/magic.h.
describe("keepsOrder()", () => {
  test.each([
    ["ext4", 0xef53],
    ["XFS", 0x58465342],
  ])("knows that a file's data and name come in order on %s", (_, type) => {
    expect(keepsOrder(type)).toBe(true);
  });

  test.each([
    ["Btrfs", 0x9123683e],
    ["NFS", 0x6969],
    ["FUSE", 0x65735546],
    ["FAT", 0x4d44],
    ["F2FS", 0xf2f52010],
    ["tmpfs", 0x1021994],
  ])("leaves the data and the folder on %s to fsync(2)", (_, type) => {
    expect(keepsOrder(type)).toBe(false);
  });
});
