import { ptr } from "bun:ffi";
import { closeSync, constants, fstatSync } from "node:fs";
import type { FileId } from "../../../plan/facts/file.ts";
import type { FileSystemSpace } from "../../files.ts";
import { hostCallError, libc, readErrno } from "../calls/libc.ts";
import { O_PATH, openAt, refuseOther } from "./file-id.ts";
import { orThrow } from "./files.ts";

/** asm/unistd_64.h; elsewhere asm-generic/unistd.h */
const SYS_FSTATFS = process.arch === "x64" ? 138n : 44n;
/** struct statfs of 64 bits: words of f_bsize, f_blocks, f_bfree and f_frsize. statfs(2) */
const [WORDS, BLOCK_SIZE, BLOCKS, FREE, FRAGMENT_SIZE] = [15, 1, 2, 3, 9];

/**
 * Implements Host.getSpace. Blocks are counted in fragments, with a size missing in node:fs: with FUSE it
 * differs from a block's.
 */
export function getSpace(folder: FileId): FileSystemSpace {
  return orThrow(`inspect the file system of ${folder.path}`, () => {
    const fd = openAt(folder.path, O_PATH | constants.O_DIRECTORY);
    try {
      refuseOther(folder, fstatSync(fd, { bigint: true }));
      const words = new BigUint64Array(WORDS);
      if (libc().syscall(SYS_FSTATFS, BigInt(fd), BigInt(ptr(words)), 0n, 0n) !== 0n)
        throw hostCallError(`inspect the file system of ${folder.path}`, readErrno());
      const wordAt = (at: number): number => Number(words[at] ?? 0n);
      const unit = wordAt(FRAGMENT_SIZE) || wordAt(BLOCK_SIZE);
      return { sizeBytes: wordAt(BLOCKS) * unit, freeBytes: wordAt(FREE) * unit };
    } finally {
      closeSync(fd);
    }
  });
}
