import type { ProcessFacts } from "../../processes.ts";
import { hostCallError, libc, readErrno } from "../calls/libc.ts";
import { readText } from "../files/quick-files.ts";
import { CLOCK_TICKS, processCalls } from "./processes.ts";

/** asm/unistd_64.h; elsewhere asm-generic/unistd.h */
const IS_X64 = process.arch === "x64";
const SYS_PRCTL = IS_X64 ? 157n : 167n;
const SYS_WAIT4 = IS_X64 ? 61n : 260n;
/** linux/prctl.h */
const PR_SET_CHILD_SUBREAPER = 36n;
/** linux/wait.h */
const P_ALL = 0;
const WNOHANG = 0x1;
const WEXITED = 0x4;
const WNOWAIT = 0x0100_0000;
/** Longest time for which descendants are killed: a program may start them faster than they are found. */
const KILL_MS = 2000;
const POLL_MS = 2;

/**
 * Runs `run`, which starts a program and waits for it, and then kills all processes that the program has left. Meanwhile svirt
 * is the parent of each whose own parent has ended, also in another session. Throws "host-call", "no-access".
 * PR_SET_CHILD_SUBREAPER(2const)
 */
export function withoutDescendants<Result>(run: () => Result): Result {
  const since = bootTicks();
  setSubreaper(true);
  try {
    return run();
  } finally {
    try {
      killDescendants(since);
    } finally {
      setSubreaper(false);
    }
  }
}

function killDescendants(since: number): void {
  const killed = new Set<number>();
  const deadline = performance.now() + KILL_MS;
  while (hasChildren() && performance.now() < deadline) {
    const left = listDescendants(since);
    if (left.length === 0) break;
    for (const one of left) {
      processCalls.signalProcess(one, "SIGKILL");
      killed.add(one.pid);
    }
    Bun.sleepSync(POLL_MS);
    for (const pid of killed) reapChild(pid);
  }
}

/** Returns whether svirt has a child, ended or not, and changes nothing. waitid(2) */
function hasChildren(): boolean {
  return libc().waitid(P_ALL, 0, null, WEXITED | WNOHANG | WNOWAIT) === 0;
}

/** Lists the processes below svirt, except for children that started earlier and the processes below those. */
function listDescendants(since: number): readonly ProcessFacts[] {
  const all = processCalls.listProcesses();
  const found = all.filter(({ parentPid, startTicks }) => parentPid === process.pid && startTicks >= since);
  for (const { pid } of found) found.push(...all.filter(({ parentPid }) => parentPid === pid));
  return found;
}

/** Removes the zombie of a child. Does nothing for other processes. wait4(2) */
function reapChild(pid: number): void {
  libc().syscall(SYS_WAIT4, BigInt(pid), 0n, BigInt(WNOHANG), 0n);
}

function setSubreaper(is: boolean): void {
  if (libc().syscall(SYS_PRCTL, PR_SET_CHILD_SUBREAPER, is ? 1n : 0n, 0n, 0n) === 0n) return;
  throw hostCallError("adopt the processes of a program", readErrno());
}

/** Returns the time since the boot in the unit of startTicks, rounded down as it is. proc_uptime(5) */
function bootTicks(): number {
  const seconds = Number(readText("/proc/uptime")?.split(" ")[0] ?? "0");
  return Math.floor(Math.round(seconds * 1000) / (1000 / CLOCK_TICKS));
}
