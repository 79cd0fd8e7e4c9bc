import { readText } from "../files/quick-files.ts";

/** Content of /proc/PID/stat. */
interface Stat {
  readonly command: string;
  /** Fields after the command; the first is the state. */
  readonly fields: readonly string[];
  readonly startTicks: number;
  readonly isZombie: boolean;
}

/** Reads /proc/PID/stat; undefined if the process no longer exists. */
export function readStat(pid: number): Stat | undefined {
  try {
    const stat = readText(`/proc/${pid}/stat`);
    return stat === undefined ? undefined : parseStat(stat);
  } catch {
    // The process ended while it was read.
    return undefined;
  }
}

/** Parses /proc/PID/stat. proc_pid_stat(5) */
function parseStat(stat: string): Stat {
  // The command is in parentheses and may contain any bytes, including blanks and parentheses.
  const end = stat.lastIndexOf(")");
  const fields = stat.slice(end + 2).split(" ");
  return {
    command: stat.slice(stat.indexOf("(") + 1, end),
    fields,
    startTicks: Number(fields[19]),
    // The main thread may be dead while another is still ending and has the process's files open.
    isZombie: (fields[0] === "Z" || fields[0] === "X") && Number(fields[17]) <= 1,
  };
}
