import { version } from "../package.json";
import { runCommandLine } from "./cli/run-command.ts";
import type { Host } from "./host/host.ts";
import { makeLinuxHost } from "./host/linux/linux-host.ts";
import { MOUNT_CHILD } from "./host/linux/mounts/child-word.ts";
import { PROBE_CHILD } from "./host/linux/probe/child-word.ts";
import { exactArguments } from "./host/linux/processes/svirt-arguments.ts";
import { writeBytes, writeOut } from "./host/linux/terminal/write-out.ts";
import { SYSTEM_PATHS } from "./plan/paths.ts";
import type { Instance } from "./state/instance.ts";

/** Version with the commit of the build, set by scripts/build. */
declare const SVIRT_VERSION: string | undefined;
/** Digest of the sources, set by scripts/build. */
declare const SVIRT_BUILD: string | undefined;

const BUILD = typeof SVIRT_BUILD === "string" ? { build: SVIRT_BUILD } : {};
/** Name under which clients of libvirt start svirt. */
const HELPER = "virt-ssh-helper";
/** Command of a guest's reaper; no URI. */
const REAP = "reap";
/** Exit code for a thrown value without an exit code. */
const FAILED = 1;
/** Exit code of a probe that has not become its program, as a shell's. sh(1) */
const NOT_RUN = 127;
/** Longest time for a timer. */
const FOREVER_MS = 2 ** 31 - 1;

// Not awaited: otherwise bun's bundler writes a separate file for each set of shared modules. A start would
// read 14 of them instead of 4 (docs/building.md).
void main();

async function main(): Promise<void> {
  // bun ends a program with an empty event loop as a success, even if a promise is pending. So a timer runs
  // until the work is done, and until then the exit code says failure.
  process.exitCode = FAILED;
  const unfinished = setInterval(() => undefined, FOREVER_MS);
  process.exitCode = await run(process.argv[2]);
  clearInterval(unfinished);
}

async function run(word: string | undefined): Promise<number> {
  if (word === MOUNT_CHILD) return await beMountChild();
  if (word === PROBE_CHILD) return await beProbeChild();
  return await runCommand();
}

async function runCommand(): Promise<number> {
  const host = makeLinuxHost();
  const uid = process.getuid?.() ?? 0;
  return await runCommandLine({
    words: commandWords(exactArguments(process.argv.slice(2))),
    instance: uid === 0 ? { host, paths: SYSTEM_PATHS, ...BUILD } : await openSession(host, uid),
    output: {
      print: (text) => writeOut(1, text),
      printBytes: (bytes) => writeBytes(1, bytes),
      printSoon: async (text) => await (await import("./host/linux/terminal/print-soon.ts")).printSoon(text),
      warn: (text) => writeOut(2, text),
    },
    version: typeof SVIRT_VERSION === "string" ? SVIRT_VERSION : version,
  });
}

/**
 * Adds the command for a call under the name used by clients of libvirt. The name is a link to the
 * executable, or the executable itself. A guest's reaper then calls by that path.
 */
function commandWords(words: readonly string[]): readonly string[] {
  const isHelper = process.argv0.endsWith(`/${HELPER}`) || process.argv0 === HELPER;
  return isHelper && words[0] !== REAP ? [HELPER, ...words] : words;
}

/** Mounts for another svirt. The other svirt kills this process if a server does not answer. */
async function beMountChild(): Promise<number> {
  await (await import("./host/linux/mounts/mount-child.ts")).runMountChild();
  return 0;
}

/**
 * Becomes a program that another svirt probes. It returns only if it cannot: then the program has not run.
 */
async function beProbeChild(): Promise<number> {
  const { becomeProbe } = await import("./host/linux/probe/probe-child.ts");
  try {
    return becomeProbe(JSON.parse(process.argv[3] ?? ""));
  } catch {
    return NOT_RUN;
  }
}

/** Opens the instance of an ordinary user. */
async function openSession(host: Host, uid: number): Promise<Instance> {
  const { sessionPaths } = await import("./state/session-paths.ts");
  return { host, paths: sessionPaths(host, uid), ...BUILD };
}
