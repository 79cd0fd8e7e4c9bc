import { interleaveHere, type Ratio, timingAt } from "./timings.ts";

/** What is compared: a command, the same by another tool, and the most that it may take. */
export interface Pair {
  readonly what: string;
  readonly ours: string;
  readonly over: string;
  readonly aim: number;
}

/** Runs the commands in turn, and returns the ratio of each pair. */
export async function comparePairs(
  tools: string,
  rounds: number,
  pairs: readonly Pair[],
): Promise<readonly Ratio[]> {
  const programs = pairs.flatMap(({ ours, over }) => [ours, over]);
  const timings = await interleaveHere(tools, rounds, programs);
  return pairs.map(({ aim, what }, at) => ({
    what,
    ours: timingAt(timings, 2 * at),
    over: timingAt(timings, 2 * at + 1),
    aim,
  }));
}
