/** Step between the cases of a test with many: 1 for all of them. */
const STEP = Number(process.env["SVIRT_SAMPLE"] ?? "1");

/**
 * Returns all cases, or, if SVIRT_SAMPLE is a number n, every n-th of them, and at least one. `bun run ok` sets it, so that
 * it is quick; `bun run ok:all` and scripts/test run all cases. Tests that share cases begin with different ones.
 */
export function sampleOf<Case>(cases: readonly Case[], begin = 0): readonly Case[] {
  const step = Math.max(1, Math.min(STEP, cases.length));
  return cases.filter((_, at) => (at + begin) % step === 0);
}

/** Returns the number of random cases, likewise divided by SVIRT_SAMPLE. */
export function runsOf(count: number): number {
  return Math.ceil(count / STEP);
}
