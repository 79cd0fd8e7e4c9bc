import { fileURLToPath } from "node:url";
import { type AttemptResult, parseAttempts, RUNS, type Run, type Runs } from "./attempt.ts";

const NODE = fileURLToPath(new URL("../../../scripts/node", import.meta.url));
const ADVERSARY = fileURLToPath(new URL("../adversary", import.meta.url));
/** As in isolation.sh. */
const FOLDER = "/srv/isolation";

async function output(command: readonly string[]): Promise<string> {
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

/** Is a node up? */
export async function isNodeUp(): Promise<boolean> {
  if (!(await Bun.file(NODE).exists())) return false;
  return output([NODE, "ssh", "true"]).then(
    () => true,
    () => false,
  );
}

function onNode(guests: Guests | undefined, ...words: string[]): Promise<string> {
  const names =
    guests === undefined ? [] : [`SVIRT_GUEST=${guests.guest}`, `SVIRT_NEIGHBOUR=${guests.neighbour}`];
  return output([NODE, "ssh", [...names, "sh", `${FOLDER}/isolation.sh`, ...words].join(" ")]);
}

/** Builds the adversary here and puts it on the node with what starts it. */
async function install(): Promise<void> {
  const built = (await output([`${ADVERSARY}/build`])).trim();
  const programs = ["adversary", "launch", "stand-in"].map((name) => `${built}/${name}`);
  await output([NODE, "put", ...programs, `${ADVERSARY}/isolation.sh`, FOLDER]);
}

/** Two that run already, of type kvm; the neighbour with a VNC socket and /dev/vde among its disks. */
interface Guests {
  readonly guest: string;
  readonly neighbour: string;
}

/** What to try: all by default, with guests that are started for it and taken away again. */
export interface Trial {
  readonly runs?: readonly Run[];
  /** For runs that need no others. */
  readonly guests?: Guests;
}

/** Every run is made, one after the other, and all that was needed for them is taken away again. */
export async function tryAll(say: (line: string) => void, trial: Trial = {}): Promise<Runs> {
  const { guests, runs: wanted = RUNS } = trial;
  say("building the adversary");
  await install();
  say(guests === undefined ? "starting the guests" : "starting what the neighbour has besides");
  await onNode(guests, "set-up");
  try {
    const runs = new Map<Run, ReadonlyMap<string, AttemptResult>>();
    for (const run of wanted) {
      say(`trying as ${run}`);
      const results = parseAttempts(await onNode(guests, "run", run));
      runs.set(run, new Map(results.map((result) => [result.id, result])));
    }
    return runs;
  } finally {
    await onNode(guests, "tear-down");
  }
}
