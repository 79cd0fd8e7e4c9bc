/**
 * Prints the proof of isolation, made on the running node: `bun scripts/isolation.ts [--json] [GUEST NEIGHBOUR]`.
 * With two guests that run already, the first tries against the second, and the control after it. Exit 1: it fails.
 */
import { RUNS } from "../test/node/isolation/attempt.ts";
import { EXCEPTIONS } from "../test/node/isolation/exceptions.ts";
import { findFaults, joinRuns } from "../test/node/isolation/judge.ts";
import { type Trial, tryAll } from "../test/node/isolation/on-the-node.ts";
import { formatProof } from "../test/node/isolation/table.ts";

const words = process.argv.slice(2);
const [guest, neighbour] = words.filter((word) => word !== "--json");
const trial: Required<Pick<Trial, "runs">> & Trial =
  guest === undefined || neighbour === undefined
    ? { runs: RUNS }
    : { runs: ["kvm", "control"], guests: { guest, neighbour } };

const rows = joinRuns(await tryAll((line) => process.stderr.write(`${line}\n`), trial), EXCEPTIONS);
const faults = findFaults(rows, trial.runs);
const json = JSON.stringify({
  rows: rows.map((row) => [...row.results].map(([run, result]) => ({ run, ...result }))),
  faults,
});
process.stdout.write(words.includes("--json") ? `${json}\n` : formatProof(rows, trial.runs));
for (const fault of faults) process.stderr.write(`FAULT ${fault}\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
