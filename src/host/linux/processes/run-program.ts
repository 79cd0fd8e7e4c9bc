import { existsSync } from "node:fs";
import type { Host } from "../../host.ts";

/** Most bytes of a program's output. */
const MOST_BYTES = 1024 * 1024;

/** Implements Host.runProgram. Its output is read through pipes, and its input is empty. */
export const runProgram: Host["runProgram"] = ([program = "", ...words], timeoutMs) => {
  if (!existsSync(program)) return { fault: "missing" };
  try {
    const done = Bun.spawnSync([program, ...words], {
      timeout: timeoutMs,
      killSignal: "SIGKILL",
      maxBuffer: MOST_BYTES,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
      env: { LC_ALL: "C", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    });
    if (done.exitedDueToTimeout === true) return { fault: "timeout" };
    return { code: done.exitCode ?? -1, errors: done.stderr.toString() };
  } catch {
    // The policy or a missing right denies it: the caller names the program.
    return { fault: "denied" };
  }
};
