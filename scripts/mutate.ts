/**
 * How many small changes of the security core the tests see: `scripts/mutate [--count N] [--seed N] [--coverage] [FOLDER...]`.
 *
 * Changes N places (400) chosen by the seed, one at a time, and runs the host's tests that run the changed place, then the
 * compiler. Prints each change that all of them let pass, but for those in scripts/mutation/equivalent.txt, which says why the
 * program is the same with it. --coverage stops after the first part: how much of each folder the tests run, counting what
 * runs in child processes. Needs root: see scripts/mutation/sandbox.ts. Takes about an hour on two cores.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Glob } from "bun";
import { type Coverage, measureCoverage } from "./mutation/coverage.ts";
import { isEquivalent, readEquivalents } from "./mutation/equivalents.ts";
import { judge, type Verdict } from "./mutation/judge.ts";
import { listMutants, type Mutant } from "./mutation/mutants.ts";
import { chooseSome } from "./mutation/sample.ts";
import { makeSandbox } from "./mutation/sandbox.ts";

/** Labels, levels, claims, the journal of steps, descriptors. */
const CORE = [
  "src/{label,selinux,registry,plan,run}/**/*.ts",
  "src/host/linux/*.ts",
  "src/vm/{decide,refuse,gather,original,label,take,free,clear,finish,record,set-label,see,used,used-file,choose}*.ts",
  "src/vm/{shares,block,devices}/*.ts",
];
/** On nodes, of builds, of how the source reads, or long. */
const OTHER_TESTS = /\/(?:node|image|build|style|bench|readme|long)\//;
const WORKERS = 2;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: "string", default: "400" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    coverage: { type: "boolean", default: false },
  },
});
const cache = process.env["MUTATION_FOLDER"] ?? "/var/cache/svirt-mutation";
const list = (patterns: readonly string[]): string[] =>
  patterns.flatMap((pattern) => [...new Glob(pattern).scanSync(".")]).toSorted();

const sources = [
  ...new Set(list(positionals.length === 0 ? CORE : positionals.map((path) => `${path}/**/*.ts`))),
];
const tests = list(["test/**/*.test.ts"]).filter((path) => !OTHER_TESTS.test(path));
const coverage = await measureCoverage(join(cache, "coverage"), sources, tests);
for (const path of coverage.broken) print(`left out, since it fails unchanged: ${path}`);
printCoverage(coverage);
if (!values.coverage) await tryMutants();

async function tryMutants(): Promise<void> {
  const all = sources.flatMap((file) => listMutants(file, readFileSync(file, "utf8")));
  const chosen = chooseSome(all, Number(values.count), Number(values.seed));
  print(`${chosen.length} of ${all.length} changes, seed ${values.seed}`);
  const queue = [...chosen];
  const verdicts: (readonly [Mutant, Verdict])[] = [];
  const work = async (worker: number): Promise<void> => {
    const sandbox = makeSandbox(join(cache, `worker-${worker}`));
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      const verdict = await judge(sandbox, mutant, coverage);
      verdicts.push([mutant, verdict]);
      if (verdict === "survived") print(describe(mutant));
      process.stderr.write(`\r${verdicts.length} of ${chosen.length} tried `);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, (_, at) => work(at)));
  sumUp(verdicts);
}

function sumUp(verdicts: readonly (readonly [Mutant, Verdict])[]): void {
  const equivalents = readEquivalents();
  const count = (wanted: Verdict): number => verdicts.filter(([, verdict]) => verdict === wanted).length;
  const survivors = verdicts.filter(([, verdict]) => verdict === "survived").map(([mutant]) => mutant);
  const unexplained = survivors.filter((mutant) => !isEquivalent(equivalents, mutant));
  const killed = verdicts.length - survivors.length;
  print(
    `${killed} of ${verdicts.length} seen (${((100 * killed) / verdicts.length).toFixed(1)} %): ` +
      `${count("killed by tests")} by tests, ${count("killed by the compiler")} by the compiler`,
  );
  print(`${survivors.length} survived, ${survivors.length - unexplained.length} of them explained`);
  for (const mutant of unexplained) print(describe(mutant));
  process.exitCode = unexplained.length === 0 ? 0 : 1;
}

function printCoverage({ places }: Coverage): void {
  const folders = Map.groupBy([...places], ([file]) => file.slice(0, file.lastIndexOf("/")));
  for (const [folder, files] of folders) {
    const lines = files.flatMap(([file, own]) =>
      own.map(({ line, tests: by }) => ({ key: `${file}:${line}`, by })),
    );
    const all = new Set(lines.map(({ key }) => key));
    const run = new Set(lines.filter(({ by }) => by.length > 0).map(({ key }) => key));
    print(
      `${folder}: ${run.size} of ${all.size} lines with statements are run (${((100 * run.size) / all.size).toFixed(1)} %)`,
    );
    if (!values.coverage) continue;
    const missing = [...all].filter((key) => !run.has(key));
    for (const key of missing) print(`  not run: ${key}`);
  }
}

function describe({ file, line, original, replacement }: Mutant): string {
  const short = (text: string): string => JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
  return `survived: ${file}:${line} ${short(original)} -> ${short(replacement)}`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
