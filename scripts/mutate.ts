/**
 * Measures how many small changes of the security core the tests detect: `scripts/mutate [--count N] [--seed
 * N] [--most N] [--coverage | --again] [FOLDER...]`.
 *
 * Changes N places (400) chosen by the seed, one at a time, and runs the host's tests that reach the place,
 * and the compiler. Prints each change that they do not detect, except for those in
 * scripts/mutation/equivalent.txt, which says why the program is equivalent. A test counts if it fails twice;
 * one that does not end, if it ends in time without the change. --most N: runs only the file's own tests and
 * then the quickest, so that one change takes N seconds (30) of tests. --again continues with the changes
 * that were not killed the last time: after an interruption, or with more tests. --coverage stops after the
 * first part: the share of each folder that the tests run, child processes included. Keeps each verdict in
 * verdicts.txt of its working folder. Needs root: see scripts/mutation/sandbox.ts. Takes about an hour on two
 * cores.
 */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Glob } from "bun";
import { type Coverage, measureCoverage } from "./mutation/coverage.ts";
import { isEquivalent, readEquivalents } from "./mutation/equivalents.ts";
import { isVerdict, type Judgement, judge, refuseUncompiled, type Verdict } from "./mutation/judge.ts";
import { keepCoverage } from "./mutation/kept-coverage.ts";
import { listMutants, type Mutant } from "./mutation/mutants.ts";
import { chooseSome } from "./mutation/sample.ts";
import { makeSandbox } from "./mutation/sandbox.ts";

/** Sources of labels, levels, claims, the journal of steps and descriptors. */
const CORE = [
  "src/{label,labelling,selinux,registry,resolve,plan,run,state}/**/*.ts",
  "src/host/linux/**/*.ts",
  "src/vm/{block,change,end,hotplug,tuning}/*.ts",
];
/**
 * Tests that run on nodes, build, check the style of the source, or take long, except for those that kill
 * starts and ends: they test most of the journal.
 */
const OTHER_TESTS = /\/(?:node|image|build|style|bench|readme|(?<!recover\/)long)\//;
const WORKERS = 2;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: "string", default: "400" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    coverage: { type: "boolean", default: false },
    again: { type: "boolean", default: false },
    most: { type: "string", default: "30" },
  },
});
const cache = process.env["MUTATION_FOLDER"] ?? "/var/cache/svirt-mutation";
const list = (patterns: readonly string[]): string[] =>
  patterns.flatMap((pattern) => [...new Glob(pattern).scanSync(".")]).toSorted();

const sources = [
  ...new Set(list(positionals.length === 0 ? CORE : positionals.map((path) => `${path}/**/*.ts`))),
];
const tests = list(["test/**/*.test.ts"]).filter((path) => !OTHER_TESTS.test(path) && !runsExecutable(path));
const folders = Array.from({ length: WORKERS }, (_, at) => join(cache, `worker-${at}`));
const coverage = await keepCoverage(cache, async () => await measureCoverage(folders, sources, tests));
for (const { output, path } of coverage.broken) {
  print(`left out, since it fails unchanged: ${path}`);
  process.stderr.write(`${output.split("\n").slice(-30).join("\n")}\n`);
}
printCoverage(coverage);
if (!values.coverage) await tryMutants();

async function tryMutants(): Promise<void> {
  const all = sources.flatMap((file) => listMutants(file, readFileSync(file, "utf8")));
  const chosen = chooseSome(all, Number(values.count), Number(values.seed));
  print(`${chosen.length} of ${all.length} changes, seed ${values.seed}`);
  const kept = join(cache, "verdicts.txt");
  const verdicts = values.again ? readKilled(kept, chosen) : [];
  const known = new Set(verdicts.map(({ mutant }) => mutant));
  const queue = chosen.filter((mutant) => !known.has(mutant));
  writeFileSync(kept, verdicts.map((judged) => `${formatJudged(judged)}\n`).join(""));
  const work = async (folder: string): Promise<void> => {
    const sandbox = makeSandbox(folder);
    await refuseUncompiled(sandbox);
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      const judged = {
        mutant,
        ...(await judge(sandbox, mutant, { coverage, seconds: Number(values.most) })),
      };
      verdicts.push(judged);
      appendFileSync(kept, `${formatJudged(judged)}\n`);
      if (judged.verdict === "survived") print(formatJudged(judged));
      process.stderr.write(`\r${verdicts.length} of ${chosen.length} tried `);
    }
  };
  await Promise.all(folders.map(work));
  sumUp(verdicts);
}

/** Returns the changes that were killed the last time. */
function readKilled(file: string, chosen: readonly Mutant[]): Judged[] {
  const lines = readFileSync(file, "utf8").split("\n");
  return chosen.flatMap((mutant) => {
    const line = lines.find((one) => one.endsWith(`: ${describe(mutant)}`)) ?? "";
    const [, verdict, by = ""] = /^(killed by (?:tests|time|the compiler)), (\S+): /.exec(line) ?? [];
    return isVerdict(verdict) ? [{ mutant, verdict, by }] : [];
  });
}

interface Judged extends Judgement {
  readonly mutant: Mutant;
}

function formatJudged({ by, mutant, verdict }: Judged): string {
  return `${verdict}${by === "" ? "" : `, ${by}`}: ${describe(mutant)}`;
}

function sumUp(verdicts: readonly Judged[]): void {
  const equivalents = readEquivalents();
  const count = (wanted: Verdict): number => verdicts.filter(({ verdict }) => verdict === wanted).length;
  const survivors = verdicts.flatMap(({ mutant, verdict }) => (verdict === "survived" ? [mutant] : []));
  const unexplained = survivors.filter((mutant) => !isEquivalent(equivalents, mutant));
  const killed = verdicts.length - survivors.length;
  print(
    `${killed} of ${verdicts.length} seen (${((100 * killed) / verdicts.length).toFixed(1)} %): ` +
      `${count("killed by tests")} by tests, ${count("killed by time")} by tests that no longer end, ` +
      `${count("killed by the compiler")} by the compiler`,
  );
  print(`${survivors.length} survived, ${survivors.length - unexplained.length} of them explained`);
  for (const mutant of unexplained) print(`survived: ${describe(mutant)}`);
  process.exitCode = unexplained.length === 0 ? 0 : 1;
}

/** Reports whether a test runs the executable: a change of the source does not affect it. */
function runsExecutable(path: string): boolean {
  return readFileSync(path, "utf8").includes("dist/svirt");
}

function printCoverage({ places }: Coverage): void {
  const folders = Map.groupBy([...places], ([file]) => file.slice(0, file.lastIndexOf("/")));
  for (const [folder, files] of folders) {
    const lines = files.flatMap(([file, own]) =>
      own.filter(({ line }) => line > 0).map(({ line, tests: by }) => ({ key: `${file}:${line}`, by })),
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
  return `${file}:${line} ${short(original)} -> ${short(replacement)}`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
