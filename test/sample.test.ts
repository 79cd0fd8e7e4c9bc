import { expect, test } from "bun:test";
import { chosenOf } from "./sample.ts";

const CASES = Array.from({ length: 100 }, (_, at) => at);

test("chosenOf() tries each case for one of the seeds, and the first and the last case for every seed", () => {
  const samples = Array.from({ length: 19 }, (_, seed) => chosenOf(CASES, 19, seed));
  expect([...new Set(samples.flat())].toSorted((one, other) => one - other)).toEqual(CASES);
  for (const sample of samples) {
    expect([sample[0], sample.at(-1)]).toEqual([0, 99]);
    expect(sample.length).toBeLessThanOrEqual(8);
  }
});

test("chosenOf() returns all cases for step 1, in their order", () => {
  expect(chosenOf(CASES, 1, 12345)).toEqual(CASES);
});
