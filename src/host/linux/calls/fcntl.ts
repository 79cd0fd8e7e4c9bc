import { libc } from "./libc.ts";

/** asm/unistd_64.h; elsewhere asm-generic/unistd.h */
const SYS_FCNTL = process.arch === "x64" ? 72n : 25n;

/** Calls fcntl(2). Returns false if the kernel refuses; readErrno() has the reason. */
export function fcntl(fd: number, command: bigint, argument: bigint): boolean {
  return libc().syscall(SYS_FCNTL, BigInt(fd), command, argument, 0n) === 0n;
}
