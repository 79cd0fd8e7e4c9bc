import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Coverage, CoveredPlace, TestFile } from "./coverage.ts";
import type { Mutant } from "./mutants.ts";
import { type Sandbox, succeedsIn } from "./sandbox.ts";

/** What became of a change. */
export type Verdict = "killed by tests" | "killed by the compiler" | "survived";

/** The tests that are most likely to see it are run first, by themselves. */
const FIRST = 4;
const COMPILER_S = 120;

/** Makes the change in the sandbox's copy, runs the tests that run its place and the compiler, and takes it back. */
export async function judge(sandbox: Sandbox, mutant: Mutant, coverage: Coverage): Promise<Verdict> {
  const text = readFileSync(mutant.file, "utf8");
  const changed = text.slice(0, mutant.start) + mutant.replacement + text.slice(mutant.end);
  writeFileSync(join(sandbox.copy, mutant.file), changed);
  try {
    const tests = orderTests(mutant, placeOf(coverage, mutant)?.tests ?? []);
    for (const batch of [tests.slice(0, FIRST), tests.slice(FIRST)]) {
      if (batch.length > 0 && !(await pass(sandbox, batch))) return "killed by tests";
    }
    const compiles = await succeedsIn(sandbox, ["bun", "--bun", "x", "tsc"], COMPILER_S);
    return compiles ? "survived" : "killed by the compiler";
  } finally {
    writeFileSync(join(sandbox.copy, mutant.file), text);
  }
}

async function pass(sandbox: Sandbox, tests: readonly TestFile[]): Promise<boolean> {
  const seconds = 30 + 5 * tests.reduce((sum, test) => sum + test.seconds, 0);
  return await succeedsIn(
    sandbox,
    ["bun", "test", "--bail", ...tests.map(({ path }) => `./${path}`)],
    seconds,
  );
}

/** The innermost place that the change lies in. */
function placeOf({ places }: Coverage, { end, file, start }: Mutant): CoveredPlace | undefined {
  return (places.get(file) ?? [])
    .filter((place) => place.start <= start && end <= place.end)
    .toSorted((a, b) => a.end - a.start - (b.end - b.start))[0];
}

/** The file's own tests, then the quickest. */
function orderTests(mutant: Mutant, tests: readonly TestFile[]): TestFile[] {
  const name = mutant.file.replace(/^src\/(.*)\.ts$/, "test/$1.test.ts");
  const cost = (test: TestFile): number => (test.path === name ? 0 : test.seconds);
  return tests.toSorted((a, b) => cost(a) - cost(b));
}
