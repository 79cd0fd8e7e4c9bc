import type { PoolBackend } from "./backend.ts";
import { FILES, isNeverSame, listNone, mountOf, refuseSecond } from "./parts.ts";

/** File system on a block device, mounted by a start. */
export const fs = {
  parts: ["devices"],
  needed: ["devices"],
  standardDir: "none",
  // virStoragePoolFormatFileSystem
  sourceFormats: {
    standard: "auto",
    values: [
      ...["auto", "ext2", "ext3", "ext4", "ufs", "iso9660", "udf", "gfs", "gfs2", "vfat", "hfs+", "xfs"],
      ...["ocfs2", "vmfs"],
    ],
  },
  volumeFormats: FILES,
  volumes: "files",
  target: "written",
  options: "mount",
  hasCow: true,
  listContradictions: listNone,
  mount: {
    isOfDevice: true,
    // An ordinary user chooses the source of a FUSE mount. fusermount(1) fsname
    isMountedAs: (kernelType) => !kernelType.startsWith("fuse"),
    plan: "by the device",
  },
  start: "implemented",
  refuseSource: ({ devices }) => refuseSecond("device", devices),
  discovery: "none",
  takesDevices: true,
  isSameSource: isNeverSame,
  denied: { at: "use", attempt: mountOf },
  hasDiskMode: false,
} as const satisfies PoolBackend;
