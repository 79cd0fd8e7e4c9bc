import { trimLabel } from "../../../selinux/context.ts";
import type { ProcessFacts } from "../../processes.ts";
import { readText } from "../files/quick-files.ts";
import { readStat } from "./running.ts";

/** Implements Host.getProcess; also undefined for a zombie. proc_pid_stat(5) */
export function getProcess(pid: number): ProcessFacts | undefined {
  const stat = readStat(pid);
  if (stat === undefined || stat.isZombie) return undefined;
  const { command, fields, startTicks } = stat;
  return {
    pid,
    startTicks,
    parentPid: Number(fields[1]),
    command,
    uid: readUid(pid) ?? 0,
    context: readContext(pid),
  };
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
