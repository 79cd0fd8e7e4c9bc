import { ptr } from "bun:ffi";
import { SvirtError } from "../../../errors.ts";
import { libc } from "../calls/libc.ts";

/** asm/unistd_64.h; elsewhere asm-generic/unistd.h */
const SYS_IOCTL = process.arch === "x64" ? 16n : 29n;
/** linux/fs.h, on 64-bit machines. FS_IOC_SETFLAGS takes an int, whatever its name says. */
const [FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FS_NOCOW_FL] = [0x80086601n, 0x40086602n, 0x00800000];

/** Lets the file system overwrite an empty file's data in place. Throws "unsupported" for one that cannot. ioctl_iflags(2) */
export function setNocow(fd: number, path: string): void {
  const flags = new Uint32Array(2);
  const call = (request: bigint): boolean =>
    libc().syscall(SYS_IOCTL, BigInt(fd), request, BigInt(ptr(flags)), 0n) === 0n;
  const isRead = call(FS_IOC_GETFLAGS);
  flags[0] = (flags[0] ?? 0) | FS_NOCOW_FL;
  // A file system may accept the request and drop the flag.
  if (isRead && call(FS_IOC_SETFLAGS) && call(FS_IOC_GETFLAGS) && ((flags[0] ?? 0) & FS_NOCOW_FL) !== 0)
    return;
  throw new SvirtError(`Cannot create ${path}: /volume/target/nocow: Failed to set NOCOW flag`, {
    kind: "unsupported",
    place: "/volume/target/nocow",
    remedy: "Remove <nocow/>, which only btrfs has.",
  });
}
