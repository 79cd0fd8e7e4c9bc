import { closeSync, constants, openSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import type { Host } from "../../host.ts";
import { withFileLimit } from "../calls/file-limit.ts";
import { setExecContext, setFileContext } from "../labels/selinux.ts";

/** In which domain a program runs, and what it may read and write there. */
interface Confined {
  readonly context: string;
  readonly inputLabel: string;
  readonly logFolder: string;
}

/** How long a program may take, and how much it may print. */
interface OutputLimits {
  readonly deadlineMs: number;
  readonly mostBytes: number;
}

/** QEMU tells all of itself, about 1 MiB, in a second, and in less than ten where it is emulated itself. */
const LIMITS: OutputLimits = { deadlineMs: 60_000, mostBytes: 16 * 1024 * 1024 };

/** Host.readOutput: a program that does not end is ended, and so is one that does not cease to print. */
export const readOutput = readOutputWithin(LIMITS);

/** The same with limits of one's own. */
export function readOutputWithin(limits: OutputLimits): Host["readOutput"] {
  return (words, confined, input) => {
    try {
      return confined === undefined
        ? readDirectly(limits, words, input)
        : readConfined(limits, words, { ...confined, input });
    } catch {
      // Not there, or the policy does not allow it: the caller says what follows from that.
      return undefined;
    }
  };
}

function surroundings({ deadlineMs, mostBytes }: OutputLimits) {
  return {
    timeout: deadlineMs,
    killSignal: "SIGKILL",
    maxBuffer: mostBytes,
    stderr: "ignore",
    env: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
  } as const;
}

function readDirectly(
  limits: OutputLimits,
  words: readonly string[],
  input: string | undefined,
): string | undefined {
  const stdin = input === undefined ? "ignore" : new TextEncoder().encode(input);
  const done = Bun.spawnSync([...words], { ...surroundings(limits), stdin });
  return done.success ? done.stdout.toString() : undefined;
}

function readConfined(
  limits: OutputLimits,
  words: readonly string[],
  { context, input, inputLabel, logFolder }: Confined & { readonly input: string | undefined },
): string | undefined {
  const stdin =
    input === undefined ? undefined : openInput(`${logFolder}/.input-${process.pid}`, inputLabel, input);
  const path = `${logFolder}/.output-${process.pid}`;
  const fd = openSync(path, NEW_FILE | constants.O_WRONLY | constants.O_APPEND, 0o600);
  try {
    setExecContext(context);
    const done = withFileLimit(limits.mostBytes, () =>
      Bun.spawnSync([...words], { ...surroundings(limits), stdin: stdin ?? "ignore", stdout: fd }),
    );
    return done.success ? readFileSync(path, "utf8") : undefined;
  } finally {
    for (const opened of [fd, stdin]) if (opened !== undefined) closeSync(opened);
    unlinkSync(path);
    setExecContext("");
  }
}

const NEW_FILE = constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** A file without a name, open at its beginning. */
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
