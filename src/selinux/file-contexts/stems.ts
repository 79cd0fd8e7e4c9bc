import { literalPathOf } from "./literal-path.ts";

/** Depth of folders in the sorting of rules. libselinux label_file.h SPEC_NODE_MAX_DEPTH */
const DEEPEST = 3;

/**
 * Returns the plain folders at the beginning of an expression, at most three: `/usr/lib/[^/]+/x` has
 * `usr/lib`. The expression is tried only on paths in these folders. libselinux insert_spec()
 */
export function patternStems(pattern: string): string {
  const stems: string[] = [];
  let at = 0;
  while (stems.length < DEEPEST) {
    const next = pattern.indexOf("/", at + 1);
    if (next === -1) break;
    const stem = literalPathOf(pattern.slice(at + 1, next));
    if (stem === undefined) break;
    if (stem !== "") stems.push(stem);
    at = next;
  }
  return stems.join("/");
}

/** Returns the stems of a path, for each depth: `/usr/lib/x` has "", `usr` and `usr/lib`. */
export function stemsOf(path: string): readonly string[] {
  const all = [""];
  let at = 0;
  while (all.length <= DEEPEST) {
    const next = path.indexOf("/", at + 1);
    if (next <= at + 1) break;
    all.push(path.slice(1, next));
    at = next;
  }
  return all;
}
