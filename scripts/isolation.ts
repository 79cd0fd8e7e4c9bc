/**
 * Prints the proof of isolation, made on the running node: `bun scripts/isolation.ts [--json]
 * [--without-liar] [GUEST NEIGHBOUR]`. The attempts of the adversary come first, then those of the liar, a
 * program that svirt takes for QEMU. With two running guests, the first attacks the second, and the control
 * follows. Exit 1: it fails.
 */
import { LIAR_RUNS, RUNS, type Run } from "../test/node/isolation/attempt.ts";
import { EXCEPTIONS } from "../test/node/isolation/exceptions.ts";
import { findFaults, joinRuns } from "../test/node/isolation/judge.ts";
import { type Trial, tryAll } from "../test/node/isolation/on-the-node.ts";
import { formatProof } from "../test/node/isolation/table.ts";
import { type LiarProof, tryLiar } from "../test/node/liar/on-the-node.ts";

const words = process.argv.slice(2);
const [guest, neighbour] = words.filter((word) => !word.startsWith("--"));
const hasGuests = guest !== undefined && neighbour !== undefined;
const trial: Required<Pick<Trial, "runs">> & Trial = hasGuests
  ? { runs: ["kvm", "control"], guests: { guest, neighbour } }
  : { runs: RUNS };
const liarRuns: readonly Run[] = hasGuests ? ["kvm", "control"] : LIAR_RUNS;
const withLiar = !words.includes("--without-liar");

const rows = joinRuns(await tryAll(say, trial), EXCEPTIONS);
const liar: LiarProof = withLiar ? await tryLiar(say, liarRuns) : { rows: [], faults: [] };
const faults = [...findFaults(rows, trial.runs), ...liar.faults];
const json = JSON.stringify({
  rows: [...rows, ...liar.rows].map((row) => [...row.results].map(([run, result]) => ({ run, ...result }))),
  faults,
});
const liarText = withLiar ? `\n\n${formatProof(liar.rows, liarRuns)}` : "";
const text = `${formatProof(rows, trial.runs)}${liarText}`;
process.stdout.write(words.includes("--json") ? `${json}\n` : text);
for (const fault of faults) say(`FAULT ${fault}`);
process.exitCode = faults.length === 0 ? 0 : 1;

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
