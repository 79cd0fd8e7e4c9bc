import { closeSync, constants, fstatSync } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import type { FileCopy } from "../../files.ts";
import { hostCallError, libc, readErrno } from "../calls/libc.ts";
import { listData, setPosition } from "./extents.ts";
import { openSame } from "./file-id.ts";

/** asm/unistd_64.h; elsewhere asm-generic/unistd.h */
const [SYS_IOCTL, SYS_SENDFILE] = process.arch === "x64" ? [16n, 40n] : [29n, 71n];
/** linux/fs.h */
const FICLONE = 0x40049409n;
/** Most bytes of one sendfile(2). */
const MOST_BYTES = 0x7ffff000;

/**
 * Copies a file's data into an open file of at least its size, in the kernel. Its holes stay holes. Throws "in-use" if the file
 * changes meanwhile, "host-call".
 */
export function copyInto(fd: number, path: string, { from, isShared }: FileCopy): void {
  const source = openSame(from, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const before = fstatSync(source, { bigint: true });
    if (libc().syscall(SYS_IOCTL, BigInt(fd), FICLONE, BigInt(source), 0n) !== 0n) {
      if (isShared) throw hostCallError(`share the data of ${from.path} with ${path}`, readErrno());
      copyData(source, fd, { path, sizeBytes: Number(before.size) });
    }
    const after = fstatSync(source, { bigint: true });
    if (after.ctimeNs !== before.ctimeNs || after.size !== before.size) throw changed(from.path);
  } finally {
    closeSync(source);
  }
}

function copyData(
  source: number,
  fd: number,
  { path, sizeBytes }: { readonly path: string; readonly sizeBytes: number },
): void {
  for (const { end, start } of listData(source, sizeBytes)) {
    setPosition(source, start);
    setPosition(fd, start);
    for (let at = start; at < end; ) {
      const count = libc().syscall(
        SYS_SENDFILE,
        BigInt(fd),
        BigInt(source),
        0n,
        BigInt(Math.min(end - at, MOST_BYTES)),
      );
      if (count < 0n) throw hostCallError(`copy to ${path}`, readErrno());
      // The file has become shorter.
      if (count === 0n) return;
      at += Number(count);
    }
  }
}

function changed(path: string): SvirtError {
  return new SvirtError(`Cannot copy ${path}: it changed meanwhile`, {
    kind: "in-use",
    remedy: "Stop the program that writes or labels it, then repeat the command.",
  });
}
