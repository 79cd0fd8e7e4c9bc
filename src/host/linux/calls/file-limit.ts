import { ptr } from "bun:ffi";
import { hostCallError, libc, readErrno } from "./libc.ts";

/** asm/unistd_64.h; elsewhere asm-generic/unistd.h */
const SYS_PRLIMIT64 = process.arch === "x64" ? 302n : 261n;
/** asm-generic/resource.h */
const RLIMIT_FSIZE = 1n;

/**
 * Runs `start` with a limit on the size of files, which the programs it starts inherit. A signal ends a program that exceeds
 * it. Restores svirt's own limit afterwards. Throws "host-call". prlimit(2), RLIMIT_FSIZE
 */
export function withFileLimit<Result>(mostBytes: number, start: () => Result): Result {
  const before = new BigUint64Array(2);
  setLimit(undefined, before);
  const [, hard = 0n] = before;
  const bytes = BigInt(mostBytes);
  setLimit(new BigUint64Array([bytes < hard ? bytes : hard, hard]), undefined);
  try {
    return start();
  } finally {
    setLimit(before, undefined);
  }
}

/** Sets or reads the soft and the hard limit of this process. */
function setLimit(to: BigUint64Array | undefined, old: BigUint64Array | undefined): void {
  const [given, told] = [to, old].map((limits) => (limits === undefined ? 0n : BigInt(ptr(limits))));
  if (libc().syscall(SYS_PRLIMIT64, 0n, RLIMIT_FSIZE, given ?? 0n, told ?? 0n) === 0n) return;
  throw hostCallError("limit the size of files", readErrno());
}
