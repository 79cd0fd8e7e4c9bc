import { errorsOf, type SvirtError, throwErrors } from "../../../errors.ts";
import type { ProcessId } from "../../processes.ts";
import { hostCallError, libc, readErrno } from "../calls/libc.ts";
import { runAlone } from "../calls/program-turns.ts";
import { longPrograms } from "../calls/spawn-program.ts";
import { listFolder } from "../files/quick-files.ts";
import { readStat } from "./process-stat.ts";
import { processCalls } from "./processes.ts";

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

/** Process below svirt. */
interface Descendant extends ProcessId {
  readonly parentPid: number;
}

/**
 * Runs `run`, the start and end of a program, and then kills all processes left behind by the program. While
 * `run` runs, svirt is the parent of each process with an ended parent, even in another session, and starts
 * no other program. Throws "host-call", "no-access". PR_SET_CHILD_SUBREAPER(2const)
 */
export async function withoutDescendants<Result>(run: () => Promise<Result>): Promise<Result> {
  return await runAlone(async () => {
    const earlier = new Set(listDescendants().map(keyOf));
    setSubreaper(true);
    try {
      return await run();
    } finally {
      try {
        await killDescendants(earlier);
      } finally {
        setSubreaper(false);
      }
    }
  });
}

/**
 * Throws the errors of processes that are left and may not be signalled, such as set-user-ID programs; they
 * keep no other alive.
 */
async function killDescendants(earlier: ReadonlySet<string>): Promise<void> {
  const deadline = performance.now() + KILL_MS;
  let errors: readonly SvirtError[] = [];
  let left = listDescendants(earlier);
  for (; left.length > 0 && performance.now() < deadline; left = listDescendants(earlier)) {
    errors = left.flatMap((one) => errorsOf(() => processCalls.signalProcess(one, "SIGKILL")));
    await Bun.sleep(POLL_MS);
    for (const { pid } of left) reapChild(pid);
  }
  if (left.length > 0) throwErrors(errors);
}

/**
 * Lists the processes below svirt, except for `earlier` and the processes below them. Includes ended
 * children: a process below an ended child, read before its parent ended, would otherwise be missed.
 */
function listDescendants(earlier: ReadonlySet<string> = new Set()): readonly Descendant[] {
  if (!hasChildren()) return [];
  const all = listFolder("/proc").flatMap((name) => (/^\d+$/.test(name) ? readProcess(Number(name)) : []));
  const found = all.filter(
    (one) => one.parentPid === process.pid && !longPrograms.has(one.pid) && !earlier.has(keyOf(one)),
  );
  for (const { pid } of found) found.push(...all.filter(({ parentPid }) => parentPid === pid));
  return found;
}

function readProcess(pid: number): Descendant[] {
  const stat = readStat(pid);
  return stat === undefined ? [] : [{ pid, startTicks: stat.startTicks, parentPid: Number(stat.fields[1]) }];
}

function keyOf({ pid, startTicks }: ProcessId): string {
  return `${pid} ${startTicks}`;
}

/** Returns whether svirt has a child, ended or not, and changes nothing. waitid(2) */
function hasChildren(): boolean {
  return libc().waitid(P_ALL, 0, null, WEXITED | WNOHANG | WNOWAIT) === 0;
}

/** Removes the zombie of a child. Does nothing for other processes. wait4(2) */
function reapChild(pid: number): void {
  libc().syscall(SYS_WAIT4, BigInt(pid), 0n, BigInt(WNOHANG), 0n);
}

function setSubreaper(is: boolean): void {
  if (libc().syscall(SYS_PRCTL, PR_SET_CHILD_SUBREAPER, is ? 1n : 0n, 0n, 0n) === 0n) return;
  throw hostCallError("adopt the processes of a program", readErrno());
}
