import { closeSync, constants, openSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { setExecContext, setFileContext } from "./selinux.ts";

/** In which domain a program runs, and what it may read and write there. */
interface Confined {
  readonly context: string;
  readonly inputLabel: string;
  readonly logFolder: string;
}

/** Host.readOutput */
export function readOutput(
  words: readonly string[],
  confined?: Confined,
  input?: string,
): string | undefined {
  try {
    return confined === undefined ? readDirectly(words, input) : readConfined(words, confined, input);
  } catch {
    // Not there, or the policy does not allow it: the caller says what follows from that.
    return undefined;
  }
}

const SURROUNDINGS = {
  stderr: "ignore",
  env: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
} as const;

function readDirectly(words: readonly string[], input: string | undefined): string | undefined {
  const stdin = input === undefined ? "ignore" : new TextEncoder().encode(input);
  const done = Bun.spawnSync([...words], { ...SURROUNDINGS, stdin });
  return done.success ? done.stdout.toString() : undefined;
}

function readConfined(
  words: readonly string[],
  { context, inputLabel, logFolder }: Confined,
  input: string | undefined,
): string | undefined {
  const stdin =
    input === undefined ? undefined : openInput(`${logFolder}/.input-${process.pid}`, inputLabel, input);
  const path = `${logFolder}/.output-${process.pid}`;
  const fd = openSync(path, NEW_FILE | constants.O_WRONLY | constants.O_APPEND, 0o600);
  try {
    setExecContext(context);
    const done = Bun.spawnSync([...words], { ...SURROUNDINGS, stdin: stdin ?? "ignore", stdout: fd });
    return done.success ? readFileSync(path, "utf8") : undefined;
  } finally {
    setExecContext("");
    for (const opened of [fd, stdin]) if (opened !== undefined) closeSync(opened);
    unlinkSync(path);
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
