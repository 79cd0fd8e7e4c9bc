import { ptr } from "bun:ffi";
import { existsSync } from "node:fs";
import type { Scheduler } from "../../../plan/facts/limits.ts";
import type { ProcessId } from "../../processes.ts";
import { ESRCH } from "../calls/errno.ts";
import { hostCallError, libc, readErrno } from "../calls/libc.ts";
import { writeControl } from "../files/write-control.ts";
import { getProcess } from "./process-facts.ts";

/** asm/unistd_64.h; elsewhere asm-generic/unistd.h */
const IS_X64 = process.arch === "x64";
const SYS_SCHED_SETSCHEDULER = IS_X64 ? 144n : 119n;
const SYS_SCHED_SETAFFINITY = IS_X64 ? 203n : 122n;
/** linux/sched.h */
const POLICIES: Readonly<Record<Scheduler["policy"], bigint>> = { fifo: 1n, rr: 2n, batch: 3n, idle: 5n };
const WORD_BITS = 64;
const SYS_PRLIMIT64 = IS_X64 ? 302n : 261n;
/** asm-generic/resource.h */
const RLIMIT_MEMLOCK = 8n;
const RLIM_INFINITY = 2n ** 64n - 1n;

/** Methods of Host for threads and processes of guests. */
export const threadCalls = { moveThread, setAffinity, setScheduler, setMemlock };

/** Implements Host.setAffinity. Ignores an ended thread. sched_setaffinity(2) */
function setAffinity(thread: number, cpus: readonly number[]): void {
  const words = new BigUint64Array(Math.floor(Math.max(0, ...cpus) / WORD_BITS) + 1);
  for (const cpu of cpus) {
    const at = Math.floor(cpu / WORD_BITS);
    words[at] = (words[at] ?? 0n) | (1n << BigInt(cpu % WORD_BITS));
  }
  const [id, size] = [BigInt(thread), BigInt(words.byteLength)];
  if (libc().syscall(SYS_SCHED_SETAFFINITY, id, size, BigInt(ptr(words)), 0n) === 0n) return;
  refuseUnlessGone(`pin thread ${thread}`);
}

/** Implements Host.setScheduler. Ignores an ended thread. sched_setscheduler(2) */
function setScheduler(thread: number, { policy, priority }: Scheduler): void {
  const parameter = new Int32Array([priority]);
  const [id, number] = [BigInt(thread), POLICIES[policy]];
  if (libc().syscall(SYS_SCHED_SETSCHEDULER, id, number, BigInt(ptr(parameter)), 0n) === 0n) return;
  refuseUnlessGone(`schedule thread ${thread}`);
}

/** Implements Host.moveThread. Ignores an ended thread. cgroups(7) cgroup.threads */
function moveThread(thread: number, group: string): void {
  try {
    writeControl(`${group}/cgroup.threads`, String(thread));
  } catch (error) {
    if (existsSync(`/proc/${thread}`)) throw error;
  }
}

/** Implements Host.setMemlock. */
function setMemlock({ pid, startTicks }: ProcessId, limitKiB: number | "unlimited"): void {
  if (getProcess(pid)?.startTicks !== startTicks) return;
  const bytes = limitKiB === "unlimited" ? RLIM_INFINITY : BigInt(limitKiB) * 1024n;
  const limits = new BigUint64Array([bytes, bytes]);
  if (libc().syscall(SYS_PRLIMIT64, BigInt(pid), RLIMIT_MEMLOCK, BigInt(ptr(limits)), 0n) === 0n) return;
  refuseUnlessGone(`limit the memory that process ${pid} locks`);
}

function refuseUnlessGone(attempt: string): void {
  const errno = readErrno();
  if (errno !== ESRCH) throw hostCallError(attempt, errno);
}
