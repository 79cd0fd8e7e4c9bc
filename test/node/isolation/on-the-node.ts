import { fileURLToPath } from "node:url";
import { type AttemptResult, parseAttempts, RUNS, type Run, type Runs } from "./attempt.ts";

const NODE = fileURLToPath(new URL("../../../scripts/node", import.meta.url));
const ADVERSARY = fileURLToPath(new URL("../adversary", import.meta.url));
/** Folder of isolation.sh on the node. */
export const FOLDER = "/srv/isolation";

/** Runs a program and returns its output. Throws if it fails, with all its output. */
export async function runProgram(command: readonly string[]): Promise<string> {
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0)
    throw new Error(`Cannot run ${command.join(" ")}: exit ${code}: ${stderr.trim()}${stdout.trim()}`);
  return stdout;
}

/** Reports whether a node is up. */
export async function isNodeUp(): Promise<boolean> {
  if (!(await Bun.file(NODE).exists())) return false;
  return runProgram([NODE, "ssh", "true"]).then(
    () => true,
    () => false,
  );
}

function onNode(guests: Guests | undefined, ...words: string[]): Promise<string> {
  const names =
    guests === undefined ? [] : [`SVIRT_GUEST=${guests.guest}`, `SVIRT_NEIGHBOUR=${guests.neighbour}`];
  return runProgram([NODE, "ssh", [...names, "sh", `${FOLDER}/isolation.sh`, ...words].join(" ")]);
}

/** Builds the adversary on this machine. Returns its files and those that start it, for FOLDER. */
export async function buildAdversary(): Promise<readonly string[]> {
  const built = (await runProgram([`${ADVERSARY}/build`])).trim();
  const programs = ["adversary", "launch", "stand-in"].map((name) => `${built}/${name}`);
  return [...programs, `${ADVERSARY}/isolation.sh`];
}

/** Makes these runs one after the other, each from the output of isolation.sh. */
export async function makeRuns(wanted: readonly Run[], print: (run: Run) => Promise<string>): Promise<Runs> {
  const runs = new Map<Run, ReadonlyMap<string, AttemptResult>>();
  for (const run of wanted) {
    const results = parseAttempts(await print(run));
    runs.set(run, new Map(results.map((result) => [result.id, result])));
  }
  return runs;
}

/**
 * Modules of the devices that are tried, and that no guest of a run needs. Other tests load them or leave
 * them loaded, and without a device node the attempt shows nothing.
 */
const DEVICE_MODULES = "dm_mod vfio";
/** Gives the new device nodes their labels: the node has no udevd. */
const RELABEL = "(cd / && setfattr -h --restore=/etc/selinux/runtime-labels 2>/dev/null; :)";

/** Two running guests of type kvm; the neighbour has a VNC socket and /dev/vde among its disks. */
interface Guests {
  readonly guest: string;
  readonly neighbour: string;
}

/** Runs to make: all by default, with temporary guests. */
export interface Trial {
  readonly runs?: readonly Run[];
  /** Existing guests, for runs that need no others. */
  readonly guests?: Guests;
}

/** Makes the runs one after the other, then removes everything that they needed. */
export async function tryAll(say: (line: string) => void, trial: Trial = {}): Promise<Runs> {
  const { guests, runs: wanted = RUNS } = trial;
  say("building the adversary");
  await runProgram([NODE, "put", ...(await buildAdversary()), FOLDER]);
  await runProgram([NODE, "ssh", `modprobe -a ${DEVICE_MODULES} && ${RELABEL}`]);
  say(guests === undefined ? "starting the guests" : "starting what the neighbour has besides");
  await onNode(guests, "set-up");
  try {
    return await makeRuns(wanted, (run) => {
      say(`trying as ${run}`);
      return onNode(guests, "run", run);
    });
  } finally {
    await onNode(guests, "tear-down");
    // A module that another device uses remains.
    await runProgram([NODE, "ssh", `modprobe -r ${DEVICE_MODULES} || :`]);
  }
}
