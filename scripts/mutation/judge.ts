import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Coverage, TestFile } from "./coverage.ts";
import type { Mutant } from "./mutants.ts";
import { type Outcome, runIn, type Sandbox } from "./sandbox.ts";

const VERDICTS = ["killed by tests", "killed by time", "killed by the compiler", "survived"] as const;

/** A change that tests or the compiler saw, or that all let pass. */
export type Verdict = (typeof VERDICTS)[number];

/** Whether a text is one. */
export function isVerdict(text: string | undefined): text is Verdict {
  return VERDICTS.some((verdict) => verdict === text);
}

/** A verdict, and the test file that saw the change. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly by: string;
}

/** What the tests run, and how long those of one change may take together. */
interface Trial {
  readonly coverage: Coverage;
  readonly seconds: number;
}

/** The tests that are most likely to see it are run first, before the compiler. */
const FIRST = 4;
const COMPILER_S = 300;
/** The longest that one test may take. */
const TEST_MS = 20_000;

/** Makes the change in the sandbox's copy, runs the tests that run its place and the compiler, and takes it back. */
export async function judge(
  sandbox: Sandbox,
  mutant: Mutant,
  { coverage, seconds }: Trial,
): Promise<Judgement> {
  const text = readFileSync(mutant.file, "utf8");
  const changed = text.slice(0, mutant.start) + mutant.replacement + text.slice(mutant.end);
  const write = (version: string): void => writeFileSync(join(sandbox.copy, mutant.file), version);
  write(changed);
  const runner: Runner = {
    run: async (tests) => await runTests(sandbox, tests),
    runUnchanged: async (tests) => {
      write(text);
      const outcome = await runTests(sandbox, tests);
      write(changed);
      return outcome;
    },
  };
  try {
    const tests = within(seconds, orderTests(mutant, testsOf(coverage, mutant)));
    const early = await seenBy(runner, tests.slice(0, FIRST));
    if (early !== undefined) return early;
    if (!(await compiles(sandbox))) return { verdict: "killed by the compiler", by: "tsc" };
    return (await seenBy(runner, tests.slice(FIRST))) ?? { verdict: "survived", by: "" };
  } finally {
    write(text);
  }
}

interface Runner {
  readonly run: (tests: readonly TestFile[]) => Promise<Outcome>;
  readonly runUnchanged: (tests: readonly TestFile[]) => Promise<Outcome>;
}

/** A machine under load fails tests and makes them late: so a test must fail twice, and what is late be in time without the change. */
async function seenBy(runner: Runner, tests: readonly TestFile[]): Promise<Judgement | undefined> {
  let left = tests;
  while (left.length > 0) {
    const { ended, output } = await runner.run(left);
    if (ended === "green") return undefined;
    const at = Math.max(
      0,
      left.findIndex(({ path }) => path === lastBegun(output)),
    );
    const suspect = left.slice(at, at + 1);
    const by = suspect.map(({ path }) => path).join();
    if (ended === "red" && (await runner.run(suspect)).ended !== "green") {
      return { verdict: "killed by tests", by };
    }
    if (ended === "too late" && (await runner.runUnchanged(left)).ended === "green") {
      return { verdict: "killed by time", by };
    }
    process.stderr.write(`\nno proof, since it does not fail again: ${by}\n`);
    left = left.slice(at + 1);
  }
  return undefined;
}

async function runTests(sandbox: Sandbox, tests: readonly TestFile[]): Promise<Outcome> {
  const seconds = 60 + 5 * tests.reduce((sum, test) => sum + test.seconds, 0);
  const files = tests.map(({ path }) => `./${path}`);
  return await runIn(sandbox, ["bun", "test", "--bail", `--timeout=${TEST_MS}`, ...files], seconds);
}

/** The test file that was running at the end: bun prints a heading for each. */
function lastBegun(output: string): string | undefined {
  return [...output.matchAll(/^(\S+\.test\.ts):$/gm)].at(-1)?.[1];
}

/** What the compiler refuses already would count as seen by it. */
export async function refuseUncompiled(sandbox: Sandbox): Promise<void> {
  if (!(await compiles(sandbox))) throw new Error(`Cannot try changes: ${sandbox.copy} does not compile`);
}

async function compiles(sandbox: Sandbox): Promise<boolean> {
  const incremental = ["--incremental", "--tsBuildInfoFile", "../tsc.info"];
  const { ended, output } = await runIn(sandbox, ["bun", "--bun", "x", "tsc", ...incremental], COMPILER_S);
  if (ended === "too late") throw new Error(`Cannot compile within ${COMPILER_S} s: ${output}`);
  return ended === "green";
}

/** Those that run the innermost place that the change lies in. */
function testsOf({ places }: Coverage, { end, file, start }: Mutant): readonly TestFile[] {
  const around = (places.get(file) ?? []).filter((place) => place.start <= start && end <= place.end);
  return around.toSorted((a, b) => a.end - a.start - (b.end - b.start))[0]?.tests ?? [];
}

/** The file's own tests, then the quickest. */
function orderTests(mutant: Mutant, tests: readonly TestFile[]): TestFile[] {
  const name = mutant.file.replace(/^src\/(.*)\.ts$/, "test/$1.test.ts");
  const cost = (test: TestFile): number => (test.path === name ? 0 : test.seconds);
  return tests.toSorted((a, b) => cost(a) - cost(b));
}

/** The first of them at least. */
function within(seconds: number, tests: readonly TestFile[]): TestFile[] {
  let sum = 0;
  return tests.filter((test, at) => {
    sum += test.seconds;
    return at === 0 || sum <= seconds;
  });
}
