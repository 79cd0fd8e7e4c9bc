import { SvirtError } from "../../errors.ts";
import type { FileKind } from "./file-kind.ts";
import { type FileSpec, parseFileSpecs, type SpecText } from "./parse-rules.ts";
import { type PathMatcher, pathMatcher } from "./path-matcher.ts";
import { type PathSubstitution, parseSubstitutions, substitutePath } from "./path-substitutions.ts";
import { stemsOf } from "./stems.ts";

// Rule: The policy's file contexts give the default label of a path.

/**
 * Files in a policy's folder contexts/files. The last file has the administrator's rules; its expressions
 * win.
 */
export interface FileContextsTexts {
  readonly base: SpecText;
  readonly homedirs?: SpecText;
  readonly local?: SpecText;
  /** The administrator's own substitutions, made before the distribution's. */
  readonly subs?: string;
  readonly subsDist?: string;
}

/** A policy's rules for default labels, ready for look-ups. */
export interface FileContexts {
  readonly substitutions: readonly (readonly PathSubstitution[])[];
  /** Rules for a single path, keyed by the path, in order of precedence. */
  readonly literals: ReadonlyMap<string, readonly FileSpec[]>;
  /** All other rules, keyed by their first folders, last rule first. */
  readonly patterns: ReadonlyMap<string, readonly FileSpec[]>;
  /** Matchers of the expressions used so far. */
  readonly matchers: Map<FileSpec, PathMatcher>;
}

/** Replaces the context in rules for files excluded from relabelling. */
const NO_CONTEXT = "<<none>>";

/**
 * Reads the rules of file_contexts(5). An expression is compiled only for a path with its prefix, which keeps
 * the first look-up quick. Throws "failed" for an unreadable line.
 */
export function parseFileContexts(texts: FileContextsTexts): FileContexts {
  const literals = new Map<string, FileSpec[]>();
  const patterns = new Map<string, FileSpec[]>();
  const sources = [texts.base, texts.homedirs, texts.local].filter((source) => source !== undefined);
  for (const spec of parseFileSpecs(sources)) {
    if (spec.literal !== undefined) addTo(literals, spec.literal, spec);
    else addTo(patterns, spec.stems, spec);
  }
  for (const specs of literals.values()) specs.sort(ofAnyKindLast);
  for (const specs of patterns.values()) specs.reverse();
  const substitutions = [texts.subs ?? "", texts.subsDist ?? ""].map((text) =>
    parseSubstitutions(bytesOf(text)),
  );
  return { substitutions, literals, patterns, matchers: new Map() };
}

/**
 * Returns the default label of a file, from its absolute path and its kind; undefined where policy leaves
 * files as they are. A rule for a single path wins over any expression. Of expressions the last match wins,
 * of rules for a single path the first, even over the administrator's. Debian 13's restorecon does so, and
 * svirt must restore the same label. Throws "unsupported" for an expression unreadable to svirt. libselinux
 * 3.8.1 label_file.c lookup_all(), label_file.h compare_literal_spec()
 */
export function defaultContextOf(contexts: FileContexts, path: string, kind: FileKind): string | undefined {
  if (!path.startsWith("/")) {
    throw new SvirtError(`Cannot look up the default label of ${path}: it is not an absolute path`, {
      kind: "usage",
      remedy: "Give the whole path.",
    });
  }
  const key = contexts.substitutions.reduce(substitutePath, cleanPath(bytesOf(path)));
  const literal = contexts.literals.get(key)?.find((spec) => isFor(spec, kind));
  const context = literal?.context ?? findPattern(contexts, key, kind)?.context;
  return context === NO_CONTEXT ? undefined : context;
}

function findPattern(contexts: FileContexts, key: string, kind: FileKind): FileSpec | undefined {
  let best: FileSpec | undefined;
  // From the deepest folder up: `/usr/lib/x/y` in usr/lib/x, usr/lib, usr and the root.
  for (const stems of stemsOf(key).toReversed()) {
    const specs = contexts.patterns.get(stems) ?? [];
    const after = best?.order ?? -1;
    best =
      specs.find((spec) => spec.order > after && isFor(spec, kind) && matches(contexts, spec, key)) ?? best;
    // libselinux does not search the folders above either.
    if (best?.context === NO_CONTEXT) return best;
  }
  return best;
}

function matches({ matchers }: FileContexts, spec: FileSpec, key: string): boolean {
  const matcher = matchers.get(spec) ?? pathMatcher(spec.pattern);
  matchers.set(spec, matcher);
  return matcher(key);
}

function isFor(spec: FileSpec, kind: FileKind): boolean {
  return spec.kind === undefined || spec.kind === kind;
}

function ofAnyKindLast(a: FileSpec, b: FileSpec): number {
  return Number(a.kind === undefined) - Number(b.kind === undefined);
}

function addTo<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}

function cleanPath(path: string): string {
  const clean = path.replace(/\/{2,}/g, "/");
  return clean.length > 1 && clean.endsWith("/") ? clean.slice(0, -1) : clean;
}

/** Returns a string with one unit per byte of the path: rules match bytes, and a dot is a byte. */
function bytesOf(path: string): string {
  if (/^[\x20-\x7e]*$/.test(path)) return path;
  return Array.from(new TextEncoder().encode(path), (byte) => String.fromCharCode(byte)).join("");
}
