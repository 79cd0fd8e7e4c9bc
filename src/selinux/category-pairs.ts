import { SvirtError } from "../errors.ts";
import { categoryAt, countCategories, type Level, parseRange } from "./level.ts";

// Rule: The categories of a guest come from its UUID.

/** libvirt refuses fewer categories as well: 8 give 28 pairs. */
const LEAST_CATEGORIES = 8;
const ALL_CATEGORIES = 1024;

/**
 * Returns the level of all guests' pairs: the high end of svirt's own range, with the low end's sensitivity.
 * A range without categories (`s0`, `s0-s0`, none) means all of them, c0.c1023, as in libvirt. Throws
 * "denied" if there are too few.
 */
export function availableLevel(ownRange: string | undefined): Level {
  const range = parseRange(ownRange ?? "s0");
  const sensitivity = range.low.sensitivity;
  const count = countCategories(range.high);
  if (count === 0) return { sensitivity, categories: [{ first: 0, last: ALL_CATEGORIES - 1 }] };
  if (count < LEAST_CATEGORIES) {
    throw new SvirtError(`Cannot choose two categories: svirt's own range ${ownRange} has only ${count}`, {
      kind: "denied",
      remedy: `Run svirt with a range of at least ${LEAST_CATEGORIES} categories, ideally s0-s0:c0.c1023.`,
    });
  }
  return { sensitivity, categories: range.high.categories };
}

/** Counts the pairs of different categories in a level. */
export function countPairs(level: Level): number {
  const count = countCategories(level);
  return (count * (count - 1)) / 2;
}

/**
 * Yields each range `s0:cA,cB` of a level once, with A < B, in an order decided by the UUID alone. The first
 * is the guest's preferred pair, the same on every host. The number of pairs bounds the search. Pairs in use
 * do not increase its cost: the order is a walk with a step coprime to the number of pairs.
 */
export function* rangesFor(uuid: string, level: Level): Generator<string, undefined> {
  const total = countPairs(level);
  const start = hash32(uuid, 0x811c9dc5) % total;
  const step = coprimeStep(hash32(uuid, 0x01000193), total);
  for (let taken = 0, index = start; taken < total; taken += 1, index = (index + step) % total) {
    yield formatPair(level, index);
  }
  return undefined;
}

function formatPair(level: Level, index: number): string {
  // Pairs are numbered (0,1) (0,2) (1,2) (0,3) ...: the higher position h begins at h(h-1)/2.
  const high = Math.floor((1 + Math.sqrt(1 + 8 * index)) / 2);
  const low = index - (high * (high - 1)) / 2;
  return `${level.sensitivity}:c${categoryAt(level, low)},c${categoryAt(level, high)}`;
}

/** FNV-1a with a final mix: every bit of the UUID counts. */
function hash32(text: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function coprimeStep(options: number, total: number): number {
  for (let step = (options % total) + 1; ; step += 1) {
    if (greatestCommonDivisor(step, total) === 1) return step;
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
