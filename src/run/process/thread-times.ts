import type { Host } from "../../host/host.ts";

/** Processor time is counted in ticks of 1/100 s on all platforms of Linux. asm-generic/param.h USER_HZ */
const NS_PER_TICK = 10_000_000;
const NS_PER_MS = 1_000_000;

/** Processor time of a process or a thread, in nanoseconds. */
export interface Times {
  readonly userNs: number;
  readonly systemNs: number;
  /** Its last processor. */
  readonly processor: number;
}

/**
 * Returns the times in /proc/PID/stat or /proc/PID/task/TID/stat; undefined for any other text.
 * proc_pid_stat(5)
 */
function parseTimes(stat: string): Times | undefined {
  // The command is in parentheses and may have any characters, including blanks and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user, system, processor] = [Number(fields[11]), Number(fields[12]), Number(fields[36])];
  if (![user, system, processor].every(Number.isInteger)) return undefined;
  return { userNs: user * NS_PER_TICK, systemNs: system * NS_PER_TICK, processor };
}

/** Returns the processor time of a process; undefined if it no longer exists. */
export function getTimes(host: Host, pid: number): Times | undefined {
  return parseTimes(readQuietly(host, `/proc/${pid}/stat`));
}

/** Thread of a process. */
export interface Thread extends Times {
  /** Time that the thread spent runnable, waiting for a processor. */
  readonly delayNs: number | undefined;
  /**
   * Time that the thread spent waiting in the kernel's queues, 0 if the kernel does not count it.
   * qemuGetSchedInfo() of libvirt
   */
  readonly waitNs: number;
  /** Permitted processors, as the kernel lists them: `0-3,7`. */
  readonly allowed: string;
}

/** Returns the facts about a thread in /proc; undefined if the process has no such thread. */
export function getThread(host: Host, pid: number, thread: number): Thread | undefined {
  const folder = `/proc/${pid}/task/${thread}`;
  const times = parseTimes(readQuietly(host, `${folder}/stat`));
  if (times === undefined) return undefined;
  // Running time, waiting time, turns. linux.git Documentation/scheduler/sched-stats.rst
  const delay = /^\d+ (\d+) \d+/.exec(readQuietly(host, `${folder}/schedstat`))?.[1];
  // Milliseconds with a fraction.
  const wait = /^(?:se\.statistics\.)?wait_sum\s*:\s*(\d+(?:\.\d+)?)$/m.exec(
    readQuietly(host, `${folder}/sched`),
  )?.[1];
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readQuietly(host, `${folder}/status`))?.[1];
  return {
    ...times,
    delayNs: delay === undefined ? undefined : Number(delay),
    waitNs: Math.round(Number(wait ?? 0) * NS_PER_MS),
    allowed: allowed ?? "",
  };
}

/** Returns the text of a file, or none if the thread ended between two reads. */
function readQuietly(host: Host, path: string): string {
  try {
    return host.readText(path) ?? "";
  } catch {
    return "";
  }
}
