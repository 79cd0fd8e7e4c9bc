import { closeSync, constants, fstatSync, openSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import type { Host } from "../../host.ts";
import type { ProgramOutput } from "../../processes.ts";
import { endOf } from "../calls/spawn-program.ts";
import { setFileContext } from "../labels/selinux.ts";
import { withoutDescendants } from "./descendants.ts";

/** Domain of a program, and the label and folder of its files. */
interface Confined {
  readonly context: string;
  readonly inputLabel: string;
  readonly logFolder: string;
}

/** Limits on a program's time and output. */
interface OutputLimits {
  readonly deadlineMs: number;
  readonly mostBytes: number;
}

/** QEMU describes itself, about 1 MiB, in a second, and in less than ten if it is emulated. */
const LIMITS: OutputLimits = { deadlineMs: 60_000, mostBytes: 16 * 1024 * 1024 };

/** Implements Host.readOutput. Ends a program that exceeds the time or the output. */
export const readOutput = readOutputWithin(LIMITS);

/** Returns a readOutput() with these limits. */
export function readOutputWithin(limits: OutputLimits): Host["readOutput"] {
  return async (words, confined, input) => {
    try {
      return await withoutDescendants(async () =>
        confined === undefined
          ? await readDirectly(limits, words, input)
          : await readConfined(limits, words, { ...confined, input }),
      );
    } catch {
      // The program is missing, or the policy denies it: the caller decides.
      return { fault: "failed" };
    }
  };
}

const SURROUNDINGS = { stderr: "ignore", env: { LC_ALL: "C", PATH: "/usr/bin:/bin" } } as const;

async function readDirectly(
  { deadlineMs, mostBytes }: OutputLimits,
  words: readonly string[],
  input: string | undefined,
): Promise<ProgramOutput> {
  const stdin = input === undefined ? "ignore" : new TextEncoder().encode(input);
  const program = Bun.spawn([...words], { ...SURROUNDINGS, stdin, stdout: "pipe" });
  const { exceeded, exitCode, output } = await endOf(program, { timeoutMs: deadlineMs, mostBytes });
  if (exitCode === 0 && exceeded === undefined) return { text: output };
  return exceeded === "output" ? { fault: "too-long" } : faultOf(exceeded, exitCode);
}

/** `exitCode`: null after a signal. */
function faultOf(exceeded: "time" | "output" | undefined, exitCode: number | null): ProgramOutput {
  if (exceeded === "time") return { fault: "timeout" };
  return { fault: "failed", ...(exitCode === null ? {} : { code: exitCode }) };
}

/** The unit of ulimit -f: sh(1) */
const BLOCK_BYTES = 512;

/**
 * Script that limits the size of the files of the shell, and becomes setpriv(1), which sets its exec context and becomes the program: no
 * context, no program. `$0` is the context, `$1` the limit in blocks. svirt itself has neither, since other calls of its connection write
 * files meanwhile. A lower hard limit of the host stays. The shell's own open(2) of the attribute would ask the policy, by O_CREAT, whether it
 * may create files in /proc. RLIMIT_FSIZE, proc_pid_attr(5)
 */
const BECOME = `
ulimit -S -f "$1" 2>/dev/null || [ "$(ulimit -H -f)" -le "$1" ] || exit
shift
exec /usr/bin/setpriv --selinux-label "$0" -- "$@"`;

async function readConfined(
  { deadlineMs, mostBytes }: OutputLimits,
  words: readonly string[],
  { context, input, inputLabel, logFolder }: Confined & { readonly input: string | undefined },
): Promise<ProgramOutput> {
  const stdin =
    input === undefined ? undefined : openInput(`${logFolder}/.input-${process.pid}`, inputLabel, input);
  const path = `${logFolder}/.output-${process.pid}`;
  const fd = openSync(path, NEW_FILE | constants.O_WRONLY | constants.O_APPEND, 0o600);
  try {
    const confined = [
      "/bin/sh",
      "-c",
      BECOME,
      context,
      String(Math.floor(mostBytes / BLOCK_BYTES)),
      ...words,
    ];
    const program = Bun.spawn(confined, { ...SURROUNDINGS, stdin: stdin ?? "ignore", stdout: fd });
    const { exceeded, exitCode } = await endOf(program, { timeoutMs: deadlineMs });
    if (exitCode === 0 && exceeded === undefined) return { text: readFileSync(path, "utf8") };
    // Not by SIGXFSZ: a shell reports that of its child by an exit status, and a program may ignore it.
    return fstatSync(fd).size >= mostBytes ? { fault: "too-long" } : faultOf(exceeded, exitCode);
  } finally {
    for (const opened of [fd, stdin]) if (opened !== undefined) closeSync(opened);
    unlinkSync(path);
  }
}

const NEW_FILE = constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Opens a file without a name, at its beginning. */
function openInput(path: string, label: string, input: string): number {
  setFileContext(label);
  try {
    writeFileSync(path, input, { flag: "wx", mode: 0o600 });
  } finally {
    setFileContext("");
  }
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } finally {
    unlinkSync(path);
  }
}
