import { SvirtError } from "../../errors.ts";

/** Returns the error for a pattern refused by PCRE2, or unreadable to svirt. */
export function patternRefusal(pattern: string, what: string, cause?: unknown): SvirtError {
  return new SvirtError(`Cannot read the pattern "${pattern}" of file_contexts: it has ${what}`, {
    kind: "unsupported",
    remedy: "Rewrite the pattern without that syntax: see semanage fcontext --list and pcre2pattern(3).",
    ...(cause === undefined ? {} : { cause }),
  });
}
