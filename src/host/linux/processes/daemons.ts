import { SvirtError } from "../../../errors.ts";
import type { ProcessFacts } from "../../processes.ts";
import { spawnProgram } from "../calls/spawn-program.ts";
import { processCalls } from "./processes.ts";

/** Limit on the start of a daemon, and on the end of a killed daemon. */
const TIMEOUT_MS = 30_000;
const POLL_MS = 1;
/**
 * UID_MIN of login.defs(5), the first number of ordinary users; and the last but one of the 16-bit numbers,
 * used by some daemons.
 */
const [FIRST_USER, NOBODY] = [1000, 65_534];

/** Implements Host.spawnDaemon. The program's first process ends once the daemon is ready. daemon(7) */
export async function spawnDaemon(words: readonly string[]): Promise<void> {
  const [program = ""] = words;
  const done = await run(words);
  if (done.exitCode === 0) return;
  const why = done.errors.trim().split("\n").at(-1) ?? "";
  throw new SvirtError(`Cannot start ${program}: ${why === "" ? "it did not become ready in time" : why}`, {
    kind: "failed",
    remedy: "Correct the fault that the program reports.",
  });
}

async function run(words: readonly string[]): ReturnType<typeof spawnProgram> {
  try {
    return await spawnProgram(words, { timeoutMs: TIMEOUT_MS });
  } catch (error) {
    throw new SvirtError(`Cannot start ${words[0]}: it cannot be run`, {
      kind: "failed",
      remedy: `Install ${words[0]}, or correct its permissions.`,
      cause: error,
    });
  }
}

/** Implements Host.hasDaemon. */
export function hasDaemon(argument: string): boolean {
  return find(argument).length > 0;
}

/**
 * Implements Host.endDaemon. Waits until the kernel has closed the daemon's sockets, since another daemon
 * cannot use its ports before. An ending process has no arguments earlier.
 */
export async function endDaemon(argument: string): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS;
  const daemons = find(argument);
  for (const daemon of daemons) processCalls.signalProcess(daemon, "SIGKILL");
  for (const { pid, startTicks } of daemons) {
    while (processCalls.getProcess(pid)?.startTicks === startTicks) {
      if (performance.now() > deadline) {
        throw new SvirtError(`Cannot end process ${pid}: it does not end`, {
          kind: "timeout",
          remedy: "Repeat the command.",
        });
      }
      await Bun.sleep(POLL_MS);
    }
  }
}

/**
 * Lists the processes of system users whose first argument this is. An ordinary user may run a program with
 * any.
 */
function find(argument: string): readonly ProcessFacts[] {
  return processCalls
    .listProcesses()
    .filter(({ pid, uid }) => isSystemUser(uid) && processCalls.getCommandLine(pid)[1] === argument);
}

function isSystemUser(uid: number): boolean {
  return uid < FIRST_USER || uid === NOBODY;
}
