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

function onNode(word: string, ...more: string[]): Promise<string> {
  return output([NODE, "ssh", ["sh", `${FOLDER}/isolation.sh`, word, ...more].join(" ")]);
}

/** Builds the adversary here and puts it on the node with what starts it. */
async function install(): Promise<void> {
  const built = (await output([`${ADVERSARY}/build`])).trim();
  const programs = ["adversary", "launch", "stand-in"].map((name) => `${built}/${name}`);
  await output([NODE, "put", ...programs, `${ADVERSARY}/isolation.sh`, FOLDER]);
}

/** Two guests and a neighbour are started, every run is made, and all is taken away again. */
export async function tryAll(say: (line: string) => void): Promise<Runs> {
  say("building the adversary");
  await install();
  say("starting the guests");
  await onNode("set-up");
  try {
    const runs = new Map<Run, ReadonlyMap<string, AttemptResult>>();
    for (const run of RUNS) {
      say(`trying as ${run}`);
      const results = parseAttempts(await onNode("run", run));
      runs.set(run, new Map(results.map((result) => [result.id, result])));
    }
    return runs;
  } finally {
    await onNode("tear-down");
  }
}
