import { closeSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import type { OpenFile, ProcessFacts, ProcessId } from "../../host.ts";
import { trimLabel } from "../../selinux/context.ts";
import { ESRCH } from "./errno.ts";
import { fileFacts } from "./file-id.ts";
import { hostCallError, libc, readErrno } from "./libc.ts";
import { getxattr } from "./xattr.ts";

/** asm-generic/unistd.h, the same on every architecture since 5.1 */
const SYS_PIDFD_SEND_SIGNAL = 424n;
const SYS_PIDFD_OPEN = 434n;
const SIGNALS = { SIGKILL: 9n, SIGTERM: 15n } as const;
/** asm-generic/param.h USER_HZ */
const CLOCK_TICKS = 100;
const ZOMBIE_STATES = new Set(["Z", "X"]);

/** Host.getProcess. proc_pid_stat(5) */
export function getProcess(pid: number): ProcessFacts | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command stands in parentheses and may hold anything, blanks and parentheses too.
    const end = stat.lastIndexOf(")");
    const fields = stat.slice(end + 2).split(" ");
    if (ZOMBIE_STATES.has(fields[0] ?? "")) return undefined;
    return {
      pid,
      startTicks: Number(fields[19]),
      parentPid: Number(fields[1]),
      command: stat.slice(stat.indexOf("(") + 1, end),
      uid: readUid(pid) ?? 0,
      context: readContext(pid),
    };
  } catch {
    // It ended between two reads: not there, as if it had ended before.
    return undefined;
  }
}

/** Host.listProcesses */
export function listProcesses(): readonly ProcessFacts[] {
  return listPids().flatMap((pid) => getProcess(pid) ?? []);
}

/** Host.listContexts */
export function listContexts(): readonly string[] {
  return [...new Set(listPids().flatMap((pid) => readContext(pid) ?? []))];
}

/** Host.listUids */
export function listUids(): readonly number[] {
  return [...new Set(listPids().flatMap((pid) => readUid(pid) ?? []))];
}

/** Host.getCommandLine. proc_pid_cmdline(5) */
export function getCommandLine(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  } catch {
    return [];
  }
}

/** Host.getCpuSeconds: user and system time, in clock ticks of 1/100 s on all that Linux runs on. */
export function getCpuSeconds(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
  } catch {
    return undefined;
  }
}

/** Host.listOpenFiles: what /proc lets us see of it; a descriptor that was closed meanwhile is left out. */
export function listOpenFiles(pid: number): readonly OpenFile[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    const path = `/proc/${pid}/fd/${name}`;
    try {
      const target = readlinkSync(path);
      const isPath = target.startsWith("/");
      return [
        {
          fd: Number(name),
          target,
          label: isPath ? getxattr(path, "security.selinux") : undefined,
          id: isPath ? fileFacts(target, statSync(path, { bigint: true })).id : undefined,
        },
      ];
    } catch {
      return [];
    }
  });
}

/** Host.signalProcess: through a pidfd, so that a number given to another process meanwhile is not hit. */
export function signalProcess(process: ProcessId, signal: "SIGTERM" | "SIGKILL"): boolean {
  const fd = libc().syscall(SYS_PIDFD_OPEN, BigInt(process.pid), 0n, 0n, 0n);
  if (fd < 0n) return goneOrThrow(`open process ${process.pid}`, readErrno());
  try {
    if (getProcess(process.pid)?.startTicks !== process.startTicks) return false;
    const sent = libc().syscall(SYS_PIDFD_SEND_SIGNAL, fd, SIGNALS[signal], 0n, 0n);
    return sent === 0n || goneOrThrow(`signal process ${process.pid}`, readErrno());
  } finally {
    closeSync(Number(fd));
  }
}

function listPids(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function goneOrThrow(attempt: string, errno: number): false {
  if (errno === ESRCH) return false;
  throw hostCallError(attempt, errno);
}

/** From its status: the owner of /proc/PID is root for a process that hides by PR_SET_DUMPABLE. proc_pid_status(5) */
function readUid(pid: number): number | undefined {
  try {
    const uid = /^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return uid === undefined ? undefined : Number(uid);
  } catch {
    return undefined;
  }
}

function readContext(pid: number): string | undefined {
  try {
    const text = trimLabel(readFileSync(`/proc/${pid}/attr/current`, "utf8"));
    return text === "" ? undefined : text;
  } catch {
    return undefined;
  }
}
