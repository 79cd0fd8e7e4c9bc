import { fileURLToPath } from "node:url";
import { whileMoving } from "../harness/look.ts";
import type { Run } from "../isolation/attempt.ts";
import { findFaults, joinRuns, type Row } from "../isolation/judge.ts";
import { makeRuns, runProgram } from "../isolation/on-the-node.ts";
import { LIAR_EXCEPTIONS } from "./exceptions.ts";
import { PARTS } from "./parts.ts";

const NODE = fileURLToPath(new URL("../../../scripts/node", import.meta.url));
const LIAR = fileURLToPath(new URL(".", import.meta.url));
/** Folder of liar.sh on the node. */
const FOLDER = "/srv/liar";
const SCRIPTS = ["liar.sh", "scenes.sh", "control.sh"];

/** The longest scene lasts one minute on a quiet machine. */
const SILENCE_MS = 600_000;

/** Last results of scenes, and the sizes of the reports that the liar itself writes. */
const PROGRESS = `tail -n 12 ${FOLDER}/progress; wc -c ${FOLDER}/*/report* || :`;

/** Results of the liar's attempts. */
export interface LiarProof {
  readonly rows: readonly Row[];
  /** A line for each wrong result: findFaults(). */
  readonly faults: readonly string[];
}

/**
 * Makes the liar's attempts on the running node, then removes everything that they needed. `only` limits the
 * runs, the environment variable SVIRT_LIAR the groups, which are separated by spaces.
 */
export async function tryLiar(say: (line: string) => void, only?: readonly Run[]): Promise<LiarProof> {
  say("building the liar");
  const built = (await runProgram([`${LIAR}build`])).trim();
  const files = [`${built}/liar`, `${built}/launch`, ...SCRIPTS.map((name) => `${LIAR}${name}`)];
  await runProgram([NODE, "put", ...files, FOLDER]);
  say("defining guests whose QEMU lies");
  await onNode("set-up");
  const proof = await tryParts(say, only).catch(async (error: unknown) => {
    // The first error says more than what fails after it.
    await onNode("tear-down").catch((later: unknown) => say(`tear-down: ${later}`));
    throw error;
  });
  await onNode("tear-down");
  return proof;
}

async function tryParts(say: (line: string) => void, only: readonly Run[] | undefined): Promise<LiarProof> {
  const rows: Row[] = [];
  const faults: string[] = [];
  const groups = process.env["SVIRT_LIAR"]?.split(" ") ?? PARTS.map(({ group }) => group);
  for (const { group, runs: all } of PARTS) {
    if (!groups.includes(group)) {
      say(`left out: lying about ${group}`);
      continue;
    }
    const runs = all.filter((run) => only?.includes(run) !== false);
    const make = (wanted: readonly Run[]) =>
      makeRuns(wanted, (run) => {
        say(`lying about ${group} as ${run}`);
        const what = `liar.sh run ${run} ${group}`;
        return whileMoving({ what, silenceMs: SILENCE_MS, progress: PROGRESS }, onNode("run", run, group));
      });
    // The control shares nothing with the other runs, so it runs and waits beside them.
    const confined = runs.filter((run) => run !== "control");
    const [results, control] = await Promise.all([make(confined), make(["control"])]);
    const joined = joinRuns(new Map([...results, ...control]), LIAR_EXCEPTIONS);
    rows.push(...joined);
    faults.push(...findFaults(joined, runs));
  }
  return { rows, faults };
}

function onNode(...words: string[]): Promise<string> {
  return runProgram([NODE, "ssh", ["sh", `${FOLDER}/liar.sh`, ...words].join(" ")]);
}
