import { SvirtError } from "../../../errors.ts";
import type { ProcessFacts, ProcessId } from "../../processes.ts";
import { EINVAL, ENOENT, ESRCH } from "../calls/errno.ts";
import { basicCalls, hostCallError, libc, readErrno } from "../calls/libc.ts";
import { spawnProgram } from "../calls/spawn-program.ts";
import { listFolder, readText } from "../files/quick-files.ts";
import { getProcess, readContext, readUid } from "./process-facts.ts";
import { readStat } from "./process-stat.ts";

/** asm-generic/unistd.h, the same on every architecture since 5.1 */
const SYS_PIDFD_SEND_SIGNAL = 424n;
const SYS_PIDFD_OPEN = 434n;
/** asm/unistd_64.h; elsewhere asm-generic/unistd.h */
const SYS_GETPRIORITY = process.arch === "x64" ? 140n : 141n;
/** linux/resource.h */
const PRIO_USER = 2n;
/**
 * Errors of pidfd_open(2) for a number that now belongs to another process's thread: ENOENT since Linux 6.13.
 * kernel/fork.c pidfd_prepare()
 */
const THREADS: readonly number[] = [EINVAL, ENOENT];
/** Number of attempts for a call killed by itself. */
const KILL_TRIES = 100;
const SIGNALS = { SIGKILL: 9n, SIGTERM: 15n } as const;
/** Process started by the kernel right after init. kernel/kthread.c */
const KTHREADD = 2;
/** linux/sched.h */
const PF_KTHREAD = 0x0020_0000;
/** Index of `flags` after the command. proc_pid_stat(5) */
const FLAGS_AT = 6;
/** asm-generic/param.h USER_HZ */
const CLOCK_TICKS = 100;

/** Methods of Host for processes of guests and of others. */
export const processCalls = {
  getProcess,
  listProcesses,
  listProcessesIn,
  listContexts,
  getCommandLine,
  getCpuSeconds,
  signalProcess,
  killUser,
};

/** Implements Host.listProcesses. Reads a process's user first, which suffices for nearly all of them. */
function listProcesses(uid?: number): readonly ProcessFacts[] {
  if (uid === undefined) return listPids().flatMap((pid) => getProcess(pid) ?? []);
  if (!hasProcesses(uid)) return [];
  return listPids().flatMap((pid) => (readUid(pid) === uid ? (getProcess(pid) ?? []) : []));
}

/** Implements Host.listProcessesIn. */
function listProcessesIn(
  isMeant: (context: string | undefined, uid: () => number | undefined) => boolean,
): readonly ProcessFacts[] {
  return listPids().flatMap((pid) =>
    isMeant(readContext(pid), () => readUid(pid)) ? (getProcess(pid) ?? []) : [],
  );
}

/** Implements Host.listContexts. */
function listContexts(): readonly string[] {
  const found = new Set<string>();
  for (const pid of listPids()) {
    const context = readContext(pid);
    if (context !== undefined && !found.has(context) && readStat(pid)?.isZombie === false) found.add(context);
  }
  return [...found];
}

/** Implements Host.getCommandLine. proc_pid_cmdline(5) */
function getCommandLine(pid: number): readonly string[] {
  try {
    return (readText(`/proc/${pid}/cmdline`) ?? "").split("\0").slice(0, -1);
  } catch {
    return [];
  }
}

/**
 * Implements Host.getCpuSeconds: user and system time, in clock ticks of 1/100 s on every architecture of
 * Linux.
 */
function getCpuSeconds(pid: number): number | undefined {
  const fields = readStat(pid)?.fields;
  return fields === undefined ? undefined : (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
}

/** Implements Host.signalProcess by a pidfd: a later process with the same number is not hit. */
function signalProcess(target: ProcessId, signal: "SIGTERM" | "SIGKILL"): boolean {
  const fd = libc().syscall(SYS_PIDFD_OPEN, BigInt(target.pid), 0n, 0n, 0n);
  if (fd < 0n) return goneOrThrow(`open process ${target.pid}`, readErrno(), [ESRCH, ...THREADS]);
  try {
    if (getProcess(target.pid)?.startTicks !== target.startTicks) return false;
    const sent = libc().syscall(SYS_PIDFD_SEND_SIGNAL, fd, SIGNALS[signal], 0n, 0n);
    return sent === 0n || goneOrThrow(`signal process ${target.pid}`, readErrno(), [ESRCH]);
  } finally {
    basicCalls().close(Number(fd));
  }
}

/**
 * Implements Host.killUser as the user, since kill(2) selects processes by the caller's user. A single call
 * kills all of them, under fork(2)'s lock. Repeats the call if another svirt's call kills its process.
 */
async function killUser(uid: number): Promise<void> {
  const who = ["--reuid", String(uid), "--regid", String(uid), "--clear-groups"];
  const words = ["/usr/bin/setpriv", ...who, "--", "/bin/sh", "-c", "kill -KILL -1 2>/dev/null; exit 0"];
  let done = await spawnProgram(words, {});
  for (let tries = 1; done.signalCode === "SIGKILL" && tries < KILL_TRIES; tries += 1)
    done = await spawnProgram(words, {});
  if (done.exitCode === 0) return;
  const why = done.errors.trim() || (done.signalCode ?? `exit code ${done.exitCode}`);
  throw new SvirtError(`Cannot end the processes of user ${uid}: ${why}`, {
    kind: "failed",
    remedy: "Install setpriv (util-linux) and /bin/sh, then run svirt recover.",
  });
}

/** Reports whether the user has processes, in a single call regardless of their number. getpriority(2) */
function hasProcesses(uid: number): boolean {
  if (libc().syscall(SYS_GETPRIORITY, PRIO_USER, BigInt(uid), 0n, 0n) >= 0n) return true;
  return readErrno() !== ESRCH;
}

/**
 * Lists all processes but kernel threads, which are most processes of a host and never have a guest's user or
 * level.
 */
function listPids(): number[] {
  const threads = new Set(listKernelThreads());
  return listFolder("/proc")
    .filter((name) => /^\d+$/.test(name) && !threads.has(name))
    .map(Number);
}

/**
 * Lists kthreadd and its children by the kernel's flags: in a container process 2 may be another process.
 * proc_tid_children(5)
 */
function listKernelThreads(): readonly string[] {
  const [, stat] = /\) (.*)$/s.exec(readOrNothing(`/proc/${KTHREADD}/stat`)) ?? [];
  const flags = Number(stat?.split(" ")[FLAGS_AT] ?? "0");
  if ((flags & PF_KTHREAD) === 0) return [];
  return [String(KTHREADD), ...readOrNothing(`/proc/${KTHREADD}/task/${KTHREADD}/children`).split(" ")];
}

function readOrNothing(path: string): string {
  try {
    return readText(path) ?? "";
  } catch {
    return "";
  }
}

function goneOrThrow(attempt: string, errno: number, gone: readonly number[]): false {
  if (gone.includes(errno)) return false;
  throw hostCallError(attempt, errno);
}
