import { ALLOWED_CALLS } from "./allowed-calls.ts";

// Rule: A probed QEMU may make few system calls.

/** linux/audit.h */
const AUDIT_ARCH_X86_64 = 0xc000_003e;
/** asm/unistd.h: numbers from here on are those of the x32 ABI. */
const X32_BIT = 0x4000_0000;
/**
 * linux/bpf_common.h: BPF_LD | BPF_W | BPF_ABS, BPF_JMP | BPF_JEQ, BPF_JGE and BPF_JSET | BPF_K, BPF_RET |
 * BPF_K
 */
const [LOAD, EQUAL, AT_LEAST, HAS_BIT, RETURN] = [0x20, 0x15, 0x35, 0x45, 0x06] as const;
/** linux/seccomp.h */
const [KILL_PROCESS, ALLOW, ERRNO] = [0x8000_0000, 0x7fff_0000, 0x0005_0000] as const;
/** asm-generic/errno-base.h, errno.h. A C library falls back to older calls on ENOSYS. */
const [EPERM, EACCES, ENOSYS] = [1, 13, 38] as const;
/** Offsets in struct seccomp_data, of the low half of an argument on a little-endian machine. */
const [NUMBER, ARCHITECTURE] = [0, 4] as const;
const argument = (at: number): number => 16 + 8 * at;

/** struct sock_filter: code, jumps if true and if false, operand. linux/filter.h */
export type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, operand: number];

/** asm/unistd_64.h */
const CLONE = 56;
const [OPEN, OPENAT] = [2, 257] as const;
const PRCTL = 157;
const TGKILL = 234;
const PRLIMIT64 = 302;
/**
 * sched.h; linux/prctl.h; fcntl.h: O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, and the bit of O_TMPFILE besides
 * O_DIRECTORY
 */
const CLONE_THREAD = 0x0001_0000;
const PR_SET_PDEATHSIG = 1;
const CHANGES = 0o1 | 0o2 | 0o100 | 0o1000 | 0o20000000;

/**
 * Returns the filter of a probed program's system calls. `pid` is its process: it may signal no other.
 * seccomp(2)
 */
export function makeFilter(pid: number): readonly Instruction[] {
  return [
    [LOAD, 0, 0, ARCHITECTURE],
    ...unless(EQUAL, AUDIT_ARCH_X86_64, KILL_PROCESS),
    [LOAD, 0, 0, NUMBER],
    ...when(AT_LEAST, X32_BIT, ERRNO | ENOSYS),
    // Threads only: what the program starts cannot outlive it.
    ...check(CLONE, 0, unless(HAS_BIT, CLONE_THREAD, ERRNO | EPERM)),
    // Files are only read. The output and KVM are open already.
    ...check(OPEN, 1, when(HAS_BIT, CHANGES, ERRNO | EACCES)),
    ...check(OPENAT, 2, when(HAS_BIT, CHANGES, ERRNO | EACCES)),
    // It stays to be killed with svirt.
    ...check(PRCTL, 0, when(EQUAL, PR_SET_PDEATHSIG, ERRNO | EPERM)),
    ...check(TGKILL, 0, unless(EQUAL, pid, ERRNO | EPERM)),
    ...check(PRLIMIT64, 0, unless(EQUAL, 0, ERRNO | EPERM)),
    ...[...ALLOWED_CALLS.values()].flatMap((number) => when(EQUAL, number, ALLOW)),
    [RETURN, 0, 0, (ERRNO | ENOSYS) >>> 0],
  ];
}

/** Returns struct sock_filter[] for the kernel. */
export function encodeFilter(filter: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(8 * filter.length);
  const view = new DataView(bytes.buffer);
  for (const [at, [code, ifTrue, ifFalse, operand]] of filter.entries()) {
    view.setUint16(8 * at, code, true);
    view.setUint8(8 * at + 2, ifTrue);
    view.setUint8(8 * at + 3, ifFalse);
    view.setUint32(8 * at + 4, operand >>> 0, true);
  }
  return bytes;
}

function when(test: number, operand: number, result: number): Instruction[] {
  return [
    [test, 0, 1, operand],
    [RETURN, 0, 0, result >>> 0],
  ];
}

function unless(test: number, operand: number, result: number): Instruction[] {
  return [
    [test, 1, 0, operand],
    [RETURN, 0, 0, result >>> 0],
  ];
}

/** Checks one argument of a call; if the refusals do not apply, the call is allowed. */
function check(number: number, at: number, refusals: readonly Instruction[]): Instruction[] {
  const checks: readonly Instruction[] = [[LOAD, 0, 0, argument(at)], ...refusals, [RETURN, 0, 0, ALLOW]];
  return [[EQUAL, 0, checks.length, number], ...checks];
}
