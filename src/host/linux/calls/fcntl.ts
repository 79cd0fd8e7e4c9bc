import { libc } from "./libc.ts";

/** asm/unistd_64.h; elsewhere asm-generic/unistd.h */
const SYS_FCNTL = process.arch === "x64" ? 72n : 25n;

/** One command to a descriptor; false when the kernel refuses it, and its errno tells why. fcntl(2) */
export function fcntl(fd: number, command: bigint, argument: bigint): boolean {
  return libc().syscall(SYS_FCNTL, BigInt(fd), command, argument, 0n) === 0n;
}
