import { test } from "bun:test";

/** Step between the cases of a test with many: 1 for all of them. */
const STEP = Number(process.env["SVIRT_SAMPLE"] ?? "1");
/** Place of the sample among all cases. */
const SEED = Number(process.env["SVIRT_SAMPLE_SEED"] ?? "0");

/**
 * Returns all cases, or, if SVIRT_SAMPLE is a number n, every n-th of them, the first and the last.
 * SVIRT_SAMPLE_SEED shifts the sample, so that runs of several commits try all cases. `bun run ok` sets both;
 * `bun run ok:all` and scripts/test run all cases.
 */
export function sampleOf<Case>(cases: readonly Case[]): readonly Case[] {
  return chosenOf(cases, STEP, SEED);
}

/** Returns the first case, the last, and every `step`-th, shifted by the seed. */
export function chosenOf<Case>(cases: readonly Case[], step: number, seed: number): readonly Case[] {
  return cases.filter((_, at) => at === 0 || at === cases.length - 1 || (at + seed) % step === 0);
}

/** Returns every n-th case, likewise, and at least one. Tests that share cases begin with different ones. */
export function shareOf<Case>(cases: readonly Case[], begin: number): readonly Case[] {
  const step = Math.max(1, Math.min(STEP, cases.length));
  return cases.filter((_, at) => (at + begin + SEED) % step === 0);
}

/** Returns the number of random cases, likewise divided by SVIRT_SAMPLE. */
export function runsOf(count: number): number {
  return Math.ceil(count / STEP);
}

/** Declares a test. */
type Declare = (title: string, run: () => unknown, timeoutMs?: number) => void;

/**
 * Returns a replacement of `test` for tests that take seconds each. If SVIRT_SAMPLE is set, it runs one of
 * `count` successive tests, another for each SVIRT_SAMPLE_SEED, and skips the others. Tests of several files
 * that take turns begin with different numbers.
 */
export function testInTurn(count: number, begin = 0): Declare {
  let at = begin;
  return (title, run, timeoutMs) => {
    const isSkipped = STEP > 1 && (at + SEED) % count !== 0;
    at += 1;
    const named = isSkipped ? `${title} (skipped: it takes turns with others)` : title;
    const runAll = async (): Promise<void> => {
      await run();
    };
    test.skipIf(isSkipped)(named, runAll, timeoutMs);
  };
}
