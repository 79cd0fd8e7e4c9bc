import { closeSync, constants, openSync, readFileSync, unlinkSync } from "node:fs";
import { setExecContext } from "./selinux.ts";

/** Host.readOutput */
export function readOutput(
  words: readonly string[],
  confined?: { readonly context: string; readonly logFolder: string },
): string | undefined {
  try {
    return confined === undefined ? readDirectly(words) : readConfined(words, confined);
  } catch {
    // Not there, or the policy does not allow it: the caller says what follows from that.
    return undefined;
  }
}

const SURROUNDINGS = {
  stdin: "ignore",
  stderr: "ignore",
  env: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
} as const;

function readDirectly(words: readonly string[]): string | undefined {
  const done = Bun.spawnSync([...words], SURROUNDINGS);
  return done.success ? done.stdout.toString() : undefined;
}

function readConfined(
  words: readonly string[],
  { context, logFolder }: { context: string; logFolder: string },
) {
  const path = `${logFolder}/.output-${process.pid}`;
  const flags =
    constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const fd = openSync(path, flags, 0o600);
  try {
    setExecContext(context);
    const done = Bun.spawnSync([...words], { ...SURROUNDINGS, stdout: fd });
    return done.success ? readFileSync(path, "utf8") : undefined;
  } finally {
    setExecContext("");
    closeSync(fd);
    unlinkSync(path);
  }
}
