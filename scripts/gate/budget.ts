import { NODES } from "./candidates.ts";

/**
 * Seconds of a gate on two quiet cores, from an empty cache. SVIRT_BUDGET of scripts/test has the same
 * default.
 */
export const BUDGET = 2100;

/**
 * Seconds of the parts that do not depend on the plan, on two quiet cores. `bun run ok` begins once the
 * demo's node is up, and outlasts the demo. The files on nodes get the rest of the budget, as it is when they
 * begin.
 */
export const PARTS: ReadonlyMap<string, number> = new Map([
  ["demo", 240],
  ["bun run ok, after the demo's end", 90],
  ["build and checks", 30],
  ["start of the nodes", 45],
  ["end", 30],
]);

/** Returns the seconds of nodes that a gate has for test files. */
export function nodeSeconds(): number {
  const fixed = [...PARTS.values()].reduce((sum, seconds) => sum + seconds, 0);
  return (BUDGET - fixed) * NODES;
}
