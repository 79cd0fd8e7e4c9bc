import { type Candidate, isMust } from "./plan.ts";
import { shuffle } from "./shuffle.ts";

/**
 * Returns the files in the order of the queue: shuffled by the seed, but files without which the gate fails
 * come before the others. A file of over a quarter of the seconds of a node comes first of its part, or a
 * node would run it alone at the end.
 */
export function orderFiles(files: readonly Candidate[], seed: number, nodes: number): readonly Candidate[] {
  const sum = files.reduce((seconds, candidate) => seconds + candidate.seconds, 0);
  const shuffled = shuffle(files, seed);
  const rank = (candidate: Candidate): number =>
    (isMust(candidate) ? 0 : 2) + (candidate.seconds > sum / nodes / 4 ? 0 : 1);
  return shuffled.toSorted((one, other) => rank(one) - rank(other));
}
