/** Prints the proof of isolation, made on the running node: `bun scripts/isolation.ts [--json]`. Exit 1: it fails. */
import { RUNS } from "../test/node/isolation/attempt.ts";
import { EXCEPTIONS } from "../test/node/isolation/exceptions.ts";
import { findFaults, joinRuns } from "../test/node/isolation/judge.ts";
import { tryAll } from "../test/node/isolation/on-the-node.ts";
import { formatProof } from "../test/node/isolation/table.ts";

const rows = joinRuns(await tryAll((line) => process.stderr.write(`${line}\n`)), EXCEPTIONS);
const faults = findFaults(rows, RUNS);
const json = JSON.stringify({
  rows: rows.map((row) => [...row.results].map(([run, result]) => ({ run, ...result }))),
  faults,
});
process.stdout.write(process.argv.includes("--json") ? `${json}\n` : formatProof(rows, RUNS));
for (const fault of faults) process.stderr.write(`FAULT ${fault}\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
