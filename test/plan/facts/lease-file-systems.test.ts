import { expect, test } from "bun:test";
import { isProvenByLease } from "../../../src/plan/facts/lease-file-systems.ts";

// Numbers of linux/magic.h and of statfs(2).
test.each<[string, number, boolean]>([
  ["ext4", 0xef53, true],
  ["xfs", 0x58465342, true],
  ["btrfs", 0x9123683e, true],
  ["f2fs", 0xf2f52010, true],
  ["overlay", 0x794c7630, false],
  ["ecryptfs", 0xf15f, false],
  ["fuse and virtiofs", 0x65735546, false],
  ["tmpfs", 0x01021994, false],
  ["ramfs", 0x858458f6, false],
  ["hugetlbfs", 0x958458f6, false],
  ["nfs", 0x6969, false],
  ["cifs", 0xff534d42, false],
  ["smb3", 0xfe534d42, false],
  ["ceph", 0x00c36400, false],
  ["9p", 0x01021997, false],
  ["gfs2", 0x01161970, false],
  ["ocfs2", 0x7461636f, false],
  ["zfs", 0x2fc12fc1, false],
  ["bcachefs", 0xca451a4e, false],
  ["vfat", 0x4d44, false],
  ["none", 0, false],
])("isProvenByLease() of a file on %s", (_, magic, isProven) => {
  expect(isProvenByLease(magic)).toBe(isProven);
});

test("isProvenByLease() takes a file system that is not told for none that proves", () => {
  expect(isProvenByLease(undefined)).toBe(false);
});
