import { REPORT_FAULT, SvirtError } from "../errors.ts";

// Rule: A level is a sensitivity with categories; one range may dominate another.

/** Categories from `first` to `last`, both included: `c0.c1023`. */
interface CategoryBlock {
  readonly first: number;
  readonly last: number;
}

/** MLS level: `s0:c1,c5.c7`. */
export interface Level {
  readonly sensitivity: string;
  readonly categories: readonly CategoryBlock[];
}

/** Range, `low[-high]`; without a dash both ends are equal. */
export interface Range {
  readonly low: Level;
  readonly high: Level;
}

const SENSITIVITY = /^s\d{1,5}$/;
const CATEGORY_BLOCK = /^c(\d{1,5})(?:\.c(\d{1,5}))?$/;

/**
 * Reads a range in the kernel's form. Refuses names of setrans (`SystemHigh`), which the kernel does not
 * know. Throws "usage".
 */
export function parseRange(text: string): Range {
  const [low, high, ...rest] = text.split("-");
  if (low === undefined || rest.length > 0) throw badRange(text);
  const lowLevel = parseLevel(low, text);
  return { low: lowLevel, high: high === undefined ? lowLevel : parseLevel(high, text) };
}

/** Reports whether a text is a range in the kernel's form. */
export function isRange(text: string): boolean {
  try {
    parseRange(text);
    return true;
  } catch {
    return false;
  }
}

/** Counts the categories of a level. */
export function countCategories(level: Level): number {
  return level.categories.reduce((sum, block) => sum + block.last - block.first + 1, 0);
}

/** Returns the category at `position` (from 0) among a level's categories, counted in order. */
export function categoryAt(level: Level, position: number): number {
  let left = position;
  for (const block of level.categories) {
    const size = block.last - block.first + 1;
    if (left < size) return block.first + left;
    left -= size;
  }
  throw new SvirtError(`Cannot take category number ${position}: the level has fewer`, {
    kind: "failed",
    remedy: REPORT_FAULT,
  });
}

/**
 * Formats a range as the kernel writes it: neighbours joined, three or more as a block, and no high end if
 * both are equal. Ranges must have this form for a comparison with the kernel's. security/selinux/ss/mls.c
 * mls_sid_to_context
 */
export function canonicalRange(text: string): string {
  const { high, low } = parseRange(text);
  const [from, to] = [formatLevel(low), formatLevel(high)];
  return from === to ? from : `${from}-${to}`;
}

/**
 * Returns the two categories of a range with a single level of two single categories; undefined for any other
 * range.
 */
export function pairOf(range: string): readonly [number, number] | undefined {
  const match = /^s\d+:c(\d+),c(\d+)$/.exec(range);
  if (match === null) return undefined;
  return [Number(match[1]), Number(match[2])];
}

/**
 * Reports whether a process with the first range may access an object with the second: it has all of its
 * categories. mcs of refpolicy
 */
export function dominates(own: string, other: string): boolean {
  const [mine, its] = [parseRange(own).high.categories, parseRange(other).high.categories];
  return joinBlocks(its).every((block) =>
    joinBlocks(mine).some(({ first, last }) => first <= block.first && block.last <= last),
  );
}

function parseLevel(text: string, whole: string): Level {
  const [sensitivity = "", list, ...rest] = text.split(":");
  if (!SENSITIVITY.test(sensitivity) || rest.length > 0 || list === "") throw badRange(whole);
  const categories = list === undefined ? [] : list.split(",").map((block) => parseBlock(block, whole));
  return { sensitivity, categories };
}

function formatLevel({ categories, sensitivity }: Level): string {
  const runs = joinBlocks(categories).map(({ first, last }) => {
    if (first === last) return `c${first}`;
    return last - first === 1 ? `c${first},c${last}` : `c${first}.c${last}`;
  });
  return runs.length === 0 ? sensitivity : `${sensitivity}:${runs.join(",")}`;
}

function joinBlocks(blocks: readonly CategoryBlock[]): CategoryBlock[] {
  const joined: CategoryBlock[] = [];
  for (const block of blocks.toSorted((a, b) => a.first - b.first)) {
    const before = joined.at(-1);
    if (before === undefined || block.first > before.last + 1) joined.push(block);
    else joined[joined.length - 1] = { first: before.first, last: Math.max(before.last, block.last) };
  }
  return joined;
}

function parseBlock(text: string, whole: string): CategoryBlock {
  const match = CATEGORY_BLOCK.exec(text);
  if (match === null) throw badRange(whole);
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  if (last < first) throw badRange(whole);
  return { first, last };
}

function badRange(text: string): SvirtError {
  return new SvirtError(`Cannot read the range "${text.slice(0, 80)}": it is not like s0 or s0-s0:c0.c1023`, {
    kind: "usage",
    remedy: "Write sensitivities as sN and categories as cN, separated by commas, blocks as cA.cB.",
  });
}
