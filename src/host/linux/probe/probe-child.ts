import { dlopen, FFIType, ptr } from "bun:ffi";
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { REPORT_FAULT, SvirtError } from "../../../errors.ts";
import { formatAttribute } from "../../../selinux/context.ts";
import { cString, hostCallError, readErrno } from "../calls/libc.ts";
import { encodeFilter, makeFilter } from "./system-call-filter.ts";

/** Program that this process becomes, and its confinement. */
export interface ProbeOrder {
  /** Absolute path and arguments. */
  readonly words: readonly string[];
  readonly environment: readonly string[];
  /** User of the program; absent: the caller's own, who is no root. */
  readonly uid?: number;
  /** Absent: without SELinux. */
  readonly context?: string;
  /** Process that has started this one: the program is killed when it ends. */
  readonly parent: number;
  /** First descriptor that the program does not get. */
  readonly firstClosed: number;
  readonly mostBytes: number;
  readonly cpuSeconds: number;
}

const { i64, u64 } = FFIType;
let symbols: ReturnType<typeof openCalls> | undefined;

/**
 * asm/unistd_64.h. Raw system calls act on the calling thread, which becomes the program; the kernel ends the
 * others.
 */
const CALLS = {
  rt_sigaction: 13,
  rt_sigprocmask: 14,
  execve: 59,
  umask: 95,
  getppid: 110,
  setgroups: 116,
  setresuid: 117,
  setresgid: 119,
  capset: 126,
  prctl: 157,
  prlimit64: 302,
  close_range: 436,
} as const;
/** linux/prctl.h, linux/close_range.h, linux/capability.h, linux/seccomp.h */
const [PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_CAPBSET_READ, PR_CAPBSET_DROP] = [1, 22, 23, 24] as const;
const [PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL] = [38, 47, 4] as const;
const CLOSE_RANGE_CLOEXEC = 4;
const CAPABILITY_VERSION_3 = 0x20080522;
const SECCOMP_MODE_FILTER = 2;
const MOST_CAPABILITIES = 64;
/**
 * asm-generic/resource.h. Memory is that of one process, since it makes no others; of threads a user has few.
 */
const LIMIT = { cpu: 0, fsize: 1, core: 4, nproc: 6, nofile: 7, as: 9 } as const;
const [MOST_MEMORY, MOST_DESCRIPTORS, MOST_THREADS] = [4 * 1024 ** 3, 64, 32] as const;
/** signal(7): bun ignores SIGPIPE, and a caller may ignore any. SIGKILL and SIGSTOP cannot be ignored. */
const [SIGKILL, IGNORED] = [9, [1, 2, 3, 13, 15, 24, 25]] as const;

/**
 * Confines this process and becomes the program, or throws: an unprivileged user without groups, a
 * capability, a right to gain one, or a descriptor of svirt's, with limits and a filter of its system calls,
 * in the SELinux context of the order. execve(2), credentials(7)
 */
export function becomeProbe(order: ProbeOrder): never {
  if (process.arch !== "x64") throw failure("its system calls can be filtered on x86_64 only");
  if (order.uid === undefined && process.getuid?.() === 0) throw failure("root must name a user for it");
  const parts = prepare(order);
  call("close_range", [order.firstClosed, 0xffff_ffff, CLOSE_RANGE_CLOEXEC]);
  call("umask", [0o077]);
  if (order.context !== undefined) writeExecContext(order.context);
  dropRights(order.uid);
  resetSignals();
  call("prctl", [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0]);
  if (call("getppid", []) !== BigInt(order.parent)) throw failure("svirt has ended");
  setLimits(order);
  call("prctl", [PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ptr(parts.program), 0, 0]);
  call("execve", [ptr(parts.path), ptr(parts.words), ptr(parts.environment)]);
  throw failure("the kernel returned from execve()");
}

/**
 * Memory that the last calls need, allocated before they limit it. `kept` holds the memory that the pointers
 * name.
 */
interface Parts {
  readonly path: Uint8Array;
  readonly words: BigUint64Array;
  readonly environment: BigUint64Array;
  readonly program: BigUint64Array;
  readonly kept: readonly unknown[];
}

function prepare({ environment, words }: ProbeOrder): Parts {
  const [cWords, cEnvironment] = [words.map(cString), environment.map(cString)];
  const filter = makeFilter(process.pid);
  const encoded = encodeFilter(filter);
  // struct sock_fprog: a 16-bit length, padding, and a pointer.
  const program = new BigUint64Array([BigInt(filter.length), BigInt(ptr(encoded))]);
  const [path = cString("")] = cWords;
  const lists = { words: pointersTo(cWords), environment: pointersTo(cEnvironment) };
  return { path, program, ...lists, kept: [cWords, cEnvironment, encoded] };
}

function pointersTo(texts: readonly Uint8Array[]): BigUint64Array {
  return new BigUint64Array([...texts.map((text) => BigInt(ptr(text))), 0n]);
}

/** Drops everything that root has, in the order in which it is still permitted. capabilities(7) */
function dropRights(uid: number | undefined): void {
  if (uid !== undefined) {
    for (let capability = 0; capability < MOST_CAPABILITIES; capability += 1)
      if (isCapability(capability)) call("prctl", [PR_CAPBSET_DROP, capability, 0, 0, 0]);
    call("setgroups", [0, 0]);
    call("setresgid", [uid, uid, uid]);
    call("setresuid", [uid, uid, uid]);
  }
  call("prctl", [PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0]);
  const [header, none] = [new Uint32Array([CAPABILITY_VERSION_3, 0]), new Uint32Array(6)];
  call("capset", [ptr(header), ptr(none)]);
  call("prctl", [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0]);
}

/** A number beyond the kernel's last capability is an invalid argument. */
function isCapability(capability: number): boolean {
  return raw("prctl", [PR_CAPBSET_READ, capability, 0, 0, 0]) >= 0n;
}

/** The kernel refuses a context in which it would not execute the program. proc_pid_attr(5) */
function writeExecContext(context: string): void {
  const fd = openSync("/proc/thread-self/attr/exec", constants.O_WRONLY);
  try {
    writeSync(fd, formatAttribute(context));
  } finally {
    closeSync(fd);
  }
}

function resetSignals(): void {
  const none = new Uint8Array(32);
  for (const signal of IGNORED) call("rt_sigaction", [signal, ptr(none), 0, 8]);
  // SIG_SETMASK
  call("rt_sigprocmask", [2, ptr(none), 0, 8]);
}

function setLimits({ cpuSeconds, mostBytes, uid }: ProbeOrder): void {
  setLimit(LIMIT.core, 0);
  setLimit(LIMIT.cpu, cpuSeconds);
  setLimit(LIMIT.fsize, mostBytes);
  setLimit(LIMIT.nofile, MOST_DESCRIPTORS);
  // An ordinary user has other processes, which count too.
  if (uid !== undefined) setLimit(LIMIT.nproc, MOST_THREADS);
  setLimit(LIMIT.as, MOST_MEMORY);
}

/** A lower hard limit of the host stays. prlimit(2) */
function setLimit(resource: number, most: number): void {
  const found = new BigUint64Array(2);
  call("prlimit64", [0, resource, 0, ptr(found)]);
  const [, hard = 0n] = found;
  const value = BigInt(most) < hard ? BigInt(most) : hard;
  const wanted = new BigUint64Array([value, value]);
  call("prlimit64", [0, resource, ptr(wanted), 0]);
}

function openCalls() {
  return dlopen("libc.so.6", {
    syscall: { args: [i64, u64, u64, u64, u64, u64], returns: i64 },
  }).symbols;
}

type Name = keyof typeof CALLS;

function raw(name: Name, given: readonly number[]): bigint {
  symbols ??= openCalls();
  const [first = 0, second = 0, third = 0, fourth = 0, fifth = 0] = given;
  return symbols.syscall(
    BigInt(CALLS[name]),
    BigInt(first),
    BigInt(second),
    BigInt(third),
    BigInt(fourth),
    BigInt(fifth),
  );
}

function call(name: Name, given: readonly number[]): bigint {
  const result = raw(name, given);
  if (result < 0n) throw hostCallError(`confine a program: ${name}`, readErrno());
  return result;
}

function failure(why: string): SvirtError {
  return new SvirtError(`Cannot run a program confined: ${why}`, { kind: "failed", remedy: REPORT_FAULT });
}
