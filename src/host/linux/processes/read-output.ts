import type { Host } from "../../host.ts";
import type { ProgramOutput } from "../../processes.ts";
import { endOf } from "../calls/spawn-program.ts";
import { withoutDescendants } from "./descendants.ts";

/** Limits on a program's time and output. */
export interface OutputLimits {
  readonly deadlineMs: number;
  readonly mostBytes: number;
}

/** The reports of LVM and partitions are short, and a busy device answers late. */
const LIMITS: OutputLimits = { deadlineMs: 60_000, mostBytes: 16 * 1024 * 1024 };

/** Implements Host.readOutput. Ends a program beyond the time or the output. */
export const readOutput = readOutputWithin(LIMITS);

/** Returns a readOutput() with these limits. */
export function readOutputWithin(limits: OutputLimits): Host["readOutput"] {
  return async (words, input) => {
    try {
      return await withoutDescendants(async () => await read(limits, words, input));
    } catch {
      // The program is missing, or the policy denies it: the caller decides.
      return { fault: "failed" };
    }
  };
}

/** Environment of a program whose output is read. It needs no settings of the caller. */
export const READ_ENVIRONMENT = { LC_ALL: "C", PATH: "/usr/bin:/bin" } as const;

async function read(
  { deadlineMs, mostBytes }: OutputLimits,
  words: readonly string[],
  input: string | undefined,
): Promise<ProgramOutput> {
  const stdin = input === undefined ? "ignore" : new TextEncoder().encode(input);
  const program = Bun.spawn([...words], { env: READ_ENVIRONMENT, stdin, stdout: "pipe", stderr: "ignore" });
  const { exceeded, exitCode, output } = await endOf(program, { timeoutMs: deadlineMs, mostBytes });
  if (exitCode === 0 && exceeded === undefined) return { text: output };
  return exceeded === "output" ? { fault: "too-long" } : faultOf(exceeded, exitCode);
}

/** Returns the fault of a program whose output is not too long. `exitCode`: null after a signal. */
export function faultOf(exceeded: "time" | "output" | undefined, exitCode: number | null): ProgramOutput {
  if (exceeded === "time") return { fault: "timeout" };
  return { fault: "failed", ...(exitCode === null ? {} : { code: exitCode }) };
}
