import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Coverage, TestFile } from "./coverage.ts";
import type { Mutant } from "./mutants.ts";
import { type Outcome, runIn, type Sandbox } from "./sandbox.ts";

const VERDICTS = ["killed by tests", "killed by time", "killed by the compiler", "survived"] as const;

/** Verdict on a change: detected by tests or the compiler, or not. */
export type Verdict = (typeof VERDICTS)[number];

/** Reports whether a text is a verdict. */
export function isVerdict(text: string | undefined): text is Verdict {
  return VERDICTS.some((verdict) => verdict === text);
}

/** Verdict, with the test file that detected the change. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly by: string;
}

/** Coverage of the tests, and the time limit of all tests of one change. */
interface Trial {
  readonly coverage: Coverage;
  readonly seconds: number;
}

/** Tests to run before the compiler: those most likely to detect the change. */
const FIRST = 4;
const COMPILER_S = 300;
/** Time limit of one test. */
const TEST_MS = 20_000;

/**
 * Applies the change in the sandbox's copy, runs the compiler and the tests that run its place, and reverts
 * it.
 */
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

/**
 * Requires that a test fails twice, and that a late one is in time without the change: load makes tests fail
 * and late.
 */
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

/** Returns the test file that was running at the end: bun prints a heading for each. */
function lastBegun(output: string): string | undefined {
  return [...output.matchAll(/^(\S+\.test\.ts):$/gm)].at(-1)?.[1];
}

/** Throws if the copy does not compile: each change would count as detected. */
export async function refuseUncompiled(sandbox: Sandbox): Promise<void> {
  if (!(await compiles(sandbox))) throw new Error(`Cannot try changes: ${sandbox.copy} does not compile`);
}

async function compiles(sandbox: Sandbox): Promise<boolean> {
  const incremental = ["--incremental", "--tsBuildInfoFile", "../tsc.info"];
  const { ended, output } = await runIn(sandbox, ["bun", "--bun", "x", "tsc", ...incremental], COMPILER_S);
  if (ended === "too late") throw new Error(`Cannot compile within ${COMPILER_S} s: ${output}`);
  return ended === "green";
}

/** Returns the tests that run the innermost place around the change. */
function testsOf({ places }: Coverage, { end, file, start }: Mutant): readonly TestFile[] {
  const around = (places.get(file) ?? []).filter((place) => place.start <= start && end <= place.end);
  return around.toSorted((a, b) => a.end - a.start - (b.end - b.start))[0]?.tests ?? [];
}

/** Orders the file's own tests first, then the quickest. */
function orderTests(mutant: Mutant, tests: readonly TestFile[]): TestFile[] {
  const name = mutant.file.replace(/^src\/(.*)\.ts$/, "test/$1.test.ts");
  const cost = (test: TestFile): number => (test.path === name ? 0 : test.seconds);
  return tests.toSorted((a, b) => cost(a) - cost(b));
}

/** Returns the tests that fit into the time, at least the first. */
function within(seconds: number, tests: readonly TestFile[]): TestFile[] {
  let sum = 0;
  return tests.filter((test, at) => {
    sum += test.seconds;
    return at === 0 || sum <= seconds;
  });
}
