import { existsSync } from "node:fs";
import type { Host } from "../../host.ts";
import { spawnProgram } from "../calls/spawn-program.ts";

/** Most bytes of a program's output. */
const MOST_BYTES = 1024 * 1024;

/** Implements Host.runProgram. Its messages are read, and its input written, through pipes. */
export const runProgram: Host["runProgram"] = async ([program = "", ...words], timeoutMs, input) => {
  if (!existsSync(program)) return { fault: "missing" };
  try {
    const given = input === undefined ? {} : { input };
    const done = await spawnProgram([program, ...words], { timeoutMs, mostBytes: MOST_BYTES, ...given });
    return done.isLate ? { fault: "timeout" } : { code: done.exitCode ?? -1, errors: done.errors };
  } catch {
    // The policy or a missing right denies it: the caller names the program.
    return { fault: "denied" };
  }
};
