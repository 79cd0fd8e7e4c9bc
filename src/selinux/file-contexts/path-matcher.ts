import { fixedPrefixOf } from "./literal-path.ts";
import { compilePattern, hasTopAlternative } from "./pcre-pattern.ts";

/** Reports whether a path, as a string of bytes, matches. */
export type PathMatcher = (path: string) => boolean;

/** Returns a matcher for an expression of file_contexts. Compiles it for the first path with its prefix. */
export function pathMatcher(pattern: string): PathMatcher {
  let prefix: string | undefined;
  let compiled: RegExp | undefined;
  return (path) => {
    prefix ??= hasTopAlternative(pattern) ? "" : fixedPrefixOf(pattern);
    if (!path.startsWith(prefix)) return false;
    compiled ??= compilePattern(pattern);
    return compiled.test(path);
  };
}
