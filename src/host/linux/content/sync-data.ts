import { fsyncSync, statfsSync } from "node:fs";
import { letOthersRun } from "../calls/let-others-run.ts";
import { libc } from "../calls/libc.ts";
import { listData, openedSize } from "./extents.ts";

/**
 * asm/unistd_64.h; elsewhere asm-generic/unistd.h. linux/fs.h SYNC_FILE_RANGE_WAIT_BEFORE, _WRITE,
 * _WAIT_AFTER
 */
const SYS_SYNC_FILE_RANGE = process.arch === "x64" ? 277n : 84n;
const WRITE_AND_WAIT = 7n;
/** linux/fs.h SYNC_FILE_RANGE_WRITE */
const WRITE = 2n;
/** Bytes awaited at once. */
const STEP_BYTES = 4 * 1024 * 1024;
/** linux/magic.h EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC */
const [EXT4, XFS] = [0xef53, 0x58465342];

/**
 * Puts the data of a file on disk, so that its name never comes without it, even after a power failure. Where
 * the journal keeps the order of the calls, it has the size and the name in this order, and only the data is
 * written. sync_file_range(2)
 */
export async function syncData(fd: number): Promise<void> {
  const isWritten = isOrdered(fd) && (await writeAll(fd));
  if (!isWritten) await syncFile(fd);
}

/** Writes an open file to disk: its data in parts, and at the end its metadata by a single call. fsync(2) */
export async function syncFile(fd: number): Promise<void> {
  await writeAll(fd);
  fsyncSync(fd);
}

/** Writes all data of a file to disk, in parts. Returns false if the kernel cannot. */
async function writeAll(fd: number): Promise<boolean> {
  for (const { end, start } of listData(fd, openedSize(fd))) {
    for (let at = start; at < end; at += STEP_BYTES) {
      await letOthersRun();
      const bytes = BigInt(Math.min(end - at, STEP_BYTES));
      if (libc().syscall(SYS_SYNC_FILE_RANGE, BigInt(fd), BigInt(at), bytes, WRITE_AND_WAIT) !== 0n)
        return false;
    }
  }
  return true;
}

/**
 * Has the disk begin to write a part of an open file while the rest of it is still copied: a later syncData()
 * or fsync(2) then waits for less. Has no effect where the kernel cannot do that.
 */
export function beginWriting(fd: number, at: number, bytes: number): void {
  libc().syscall(SYS_SYNC_FILE_RANGE, BigInt(fd), BigInt(at), BigInt(bytes), WRITE);
}

/** Reports whether an open file is on a file system that keeps the order of the calls. */
export function isOrdered(fd: number): boolean {
  try {
    return keepsOrder(statfsSync(`/proc/self/fd/${fd}`).type);
  } catch {
    return false;
  }
}

/**
 * Reports whether the journal of a type of file system keeps the order of the calls, and whether fsync(2) of
 * a new file includes its name: ext4 and XFS. Btrfs records the place of written data later. A server of NFS
 * or FUSE has data and names in caches of its own. FAT writes the name with its folder.
 */
export function keepsOrder(type: number): boolean {
  return type === EXT4 || type === XFS;
}
