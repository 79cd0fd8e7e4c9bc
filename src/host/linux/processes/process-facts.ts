import { trimLabel } from "../../../selinux/context.ts";
import type { ProcessFacts } from "../../processes.ts";
import { listFolder, readText } from "../files/quick-files.ts";
import { readStat } from "./process-stat.ts";

/** linux/sched.h */
const PF_EXITING = 0x4;
/** Index of `flags` after the command. proc_pid_stat(5) */
const FLAGS_AT = 6;
/** Bit of SIGKILL in a set of signals. proc_pid_status(5) */
const SIGKILL_BIT = 1n << 8n;

/** Implements Host.getProcess; also undefined for a zombie. proc_pid_stat(5) */
export function getProcess(pid: number): ProcessFacts | undefined {
  const stat = readStat(pid);
  if (stat === undefined || stat.isZombie) return undefined;
  const { command, fields, startTicks } = stat;
  const status = readStatus(pid);
  const isEnding = hasEnd(fields, status) && isWholeEnding(pid);
  return {
    pid,
    startTicks,
    parentPid: Number(fields[1]),
    command,
    uid: uidIn(status) ?? 0,
    context: readContext(pid),
    ...(isEnding ? { isEnding } : {}),
  };
}

/**
 * Reads the user from `status`: /proc/PID belongs to root for a process that hides by PR_SET_DUMPABLE.
 * proc_pid_status(5)
 */
export function readUid(pid: number): number | undefined {
  return uidIn(readStatus(pid));
}

function uidIn(status: string): number | undefined {
  const uid = /^Uid:\t(\d+)/m.exec(status)?.[1];
  return uid === undefined ? undefined : Number(uid);
}

/**
 * Reports whether each thread ends: the main thread alone may end while others run on. The kernel has
 * /proc/TID for each of them.
 */
function isWholeEnding(pid: number): boolean {
  try {
    return listFolder(`/proc/${pid}/task`).every((thread) => {
      const stat = readStat(Number(thread));
      return stat === undefined || hasEnd(stat.fields, readStatus(Number(thread)));
    });
  } catch {
    return true;
  }
}

/**
 * Reports whether a thread exits or has SIGKILL pending, which the kernel gives to each thread.
 * complete_signal() of kernel/signal.c
 */
function hasEnd(fields: readonly string[], status: string): boolean {
  if ((Number(fields[FLAGS_AT]) & PF_EXITING) !== 0) return true;
  const pending = /^SigPnd:\t([0-9a-f]+)$/m.exec(status)?.[1];
  return pending !== undefined && (BigInt(`0x${pending}`) & SIGKILL_BIT) !== 0n;
}

function readStatus(pid: number): string {
  try {
    return readText(`/proc/${pid}/status`) ?? "";
  } catch {
    return "";
  }
}

/** Returns undefined if the kernel does not report the context. proc_pid_attr(5) */
export function readContext(pid: number): string | undefined {
  try {
    const text = trimLabel(readText(`/proc/${pid}/attr/current`) ?? "");
    return text === "" ? undefined : text;
  } catch {
    return undefined;
  }
}
