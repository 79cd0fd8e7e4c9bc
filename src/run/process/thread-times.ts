import type { Host } from "../../host/host.ts";

/** Processor time is told in ticks of 1/100 s on all that Linux runs on. asm-generic/param.h USER_HZ */
const NS_PER_TICK = 10_000_000;

/** What a process or a thread has used, in nanoseconds. */
export interface Times {
  readonly userNs: number;
  readonly systemNs: number;
  /** The processor that it ran on last. */
  readonly processor: number;
}

/** The fields of /proc/PID/stat or /proc/PID/task/TID/stat; undefined for what is none. proc_pid_stat(5) */
function parseTimes(stat: string): Times | undefined {
  // The command stands in parentheses and may hold anything, blanks and parentheses too.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user, system, processor] = [Number(fields[11]), Number(fields[12]), Number(fields[36])];
  if (![user, system, processor].every(Number.isInteger)) return undefined;
  return { userNs: user * NS_PER_TICK, systemNs: system * NS_PER_TICK, processor };
}

/** What a process has used; undefined when it is gone. */
export function getTimes(host: Host, pid: number): Times | undefined {
  return parseTimes(readQuietly(host, `/proc/${pid}/stat`));
}

/** A thread of a process. */
export interface Thread extends Times {
  /** How long it could have run and another did. */
  readonly delayNs: number | undefined;
  /** The processors that it may run on, as the kernel lists them: `0-3,7`. */
  readonly allowed: string;
}

/** What /proc tells of a thread; undefined for one that the process has not. */
export function getThread(host: Host, pid: number, thread: number): Thread | undefined {
  const folder = `/proc/${pid}/task/${thread}`;
  const times = parseTimes(readQuietly(host, `${folder}/stat`));
  if (times === undefined) return undefined;
  // Running time, waiting time, turns. linux.git Documentation/scheduler/sched-stats.rst
  const delay = /^\d+ (\d+) \d+/.exec(readQuietly(host, `${folder}/schedstat`))?.[1];
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readQuietly(host, `${folder}/status`))?.[1];
  return {
    ...times,
    delayNs: delay === undefined ? undefined : Number(delay),
    allowed: allowed ?? "",
  };
}

/** A thread may end between two reads: then it is as if it had ended before. */
function readQuietly(host: Host, path: string): string {
  try {
    return host.readText(path) ?? "";
  } catch {
    return "";
  }
}
