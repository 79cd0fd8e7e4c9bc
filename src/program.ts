import { version } from "../package.json";
import { runCommandLine } from "./cli/run-command.ts";
import { makeLinuxHost } from "./host/linux/linux-host.ts";
import { exactWords } from "./host/linux/processes/own-words.ts";
import { writeBytes, writeOut } from "./host/linux/terminal/write-out.ts";
import { SYSTEM_PATHS } from "./plan/paths.ts";
import type { Node } from "./state/instance.ts";

/** Given by scripts/build: the version with the commit it was built from. */
declare const SVIRT_VERSION: string | undefined;
/** The same: a digest of the sources. */
declare const SVIRT_BUILD: string | undefined;

/** The exit code of an error without one of its own. */
const FAILED = 1;
/** The longest that a timer can wait. */
const FOREVER_MS = 2 ** 31 - 1;

// Not awaited: where the first file waits for something, bun makes a file of every set of modules that some commands
// share, and a start reads 14 of them instead of 4 (docs/building.md).
void main();

async function main(): Promise<void> {
  // bun ends a program whose event loop is empty, even one that still waits for a promise, and calls that a success: so
  // until the work is done something waits, and the exit code is that of a failure.
  process.exitCode = FAILED;
  const unfinished = setInterval(() => undefined, FOREVER_MS);
  process.exitCode = await runCommandLine({
    words: exactWords(process.argv.slice(2)),
    node: await openNode(),
    output: {
      print: (text) => writeOut(1, text),
      printBytes: (bytes) => void writeBytes(1, bytes),
      warn: (text) => writeOut(2, text),
    },
    version: typeof SVIRT_VERSION === "string" ? SVIRT_VERSION : version,
  });
  clearInterval(unfinished);
}

/** Root's instance, or that of the user who calls. */
async function openNode(): Promise<Node> {
  const host = makeLinuxHost();
  const build = typeof SVIRT_BUILD === "string" ? { build: SVIRT_BUILD } : {};
  const uid = process.getuid?.() ?? 0;
  if (uid === 0) return { host, paths: SYSTEM_PATHS, ...build };
  const { sessionPaths } = await import("./state/session-paths.ts");
  return { host, paths: sessionPaths(host, uid), ...build };
}
