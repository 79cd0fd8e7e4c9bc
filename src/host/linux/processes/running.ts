import { SvirtError } from "../../../errors.ts";
import { trimLabel } from "../../../selinux/context.ts";
import type { ProcessFacts } from "../../processes.ts";
import { readText } from "../files/quick-files.ts";

const ZOMBIE_STATES = new Set(["Z", "X"]);

let bootId: string | undefined;

/** Implements Host.getBootId: reads it once, since no process outlives the boot. proc_sys_kernel(5) */
export function getBootId(): string {
  bootId ??= readText("/proc/sys/kernel/random/boot_id")?.trim();
  if (bootId !== undefined) return bootId;
  throw new SvirtError("Cannot tell the kernel's boot id: /proc does not have it", {
    kind: "host-call",
    remedy: "Mount /proc.",
  });
}

/** Implements Host.getProcess; also undefined for a zombie. proc_pid_stat(5) */
export function getProcess(pid: number): ProcessFacts | undefined {
  try {
    const stat = readText(`/proc/${pid}/stat`);
    if (stat === undefined) return undefined;
    // The command is in parentheses and may contain any bytes, including blanks and parentheses.
    const end = stat.lastIndexOf(")");
    const fields = stat.slice(end + 2).split(" ");
    // The main thread may be dead while another is still ending and has the process's files open.
    if (ZOMBIE_STATES.has(fields[0] ?? "") && Number(fields[17]) <= 1) return undefined;
    return {
      pid,
      startTicks: Number(fields[19]),
      parentPid: Number(fields[1]),
      command: stat.slice(stat.indexOf("(") + 1, end),
      uid: readUid(pid) ?? 0,
      context: readContext(pid),
    };
  } catch {
    // The process ended between two reads, and counts as gone.
    return undefined;
  }
}

/** Reads the user from `status`: /proc/PID belongs to root for a process that hides by PR_SET_DUMPABLE. proc_pid_status(5) */
export function readUid(pid: number): number | undefined {
  try {
    const uid = /^Uid:\t(\d+)/m.exec(readText(`/proc/${pid}/status`) ?? "")?.[1];
    return uid === undefined ? undefined : Number(uid);
  } catch {
    return undefined;
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
