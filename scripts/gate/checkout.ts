import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Facts } from "./candidates.ts";
import type { LedgerFacts } from "./faults.ts";
import { listImports } from "./imports.ts";
import { landingsOf, parseLedger } from "./ledger.ts";

export const LEDGER = "test/ledger.tsv";
/** Folders that most test files import from: a change of them belongs to no single file. */
const SHARED = /^test\/(node\/(harness|isolation|programs)\/|[^/]*$|(?!node\/))/;

/** Reads the ledger of the checkout, and git. */
export function readCheckout(files: readonly string[]): Facts & LedgerFacts {
  const ledger = parseLedger(readFileSync(LEDGER, "utf8"));
  const changed = new Map<string, readonly string[] | undefined>();
  const changedSince = (commit: string): readonly string[] | undefined => {
    if (!changed.has(commit)) changed.set(commit, listChanged(commit));
    return changed.get(commit);
  };
  const isPresent = (commit: string): boolean => changedSince(commit)?.length === 0;
  const landings = landingsOf(ledger, isPresent);
  const modules = new Map<string, ReadonlySet<string>>();
  const belongsTo = (path: string, file: string): boolean => {
    if (!modules.has(file)) modules.set(file, new Set(listModules(file)));
    return isOf(path, file, modules.get(file) ?? new Set());
  };
  return { ledger, landings, files, isPresent, changedSince, belongsTo, changedBetween };
}

/**
 * Returns the paths that differ between the commit and the checkout, without the ledger and ignored files.
 */
export function listChanged(commit: string): readonly string[] | undefined {
  const tracked = git("diff", "--name-only", commit, "--");
  return tracked && withoutLedger([...tracked, ...(git("ls-files", "-o", "--exclude-standard") ?? [])]);
}

function changedBetween(from: string, to: string): readonly string[] | undefined {
  const changed = git("diff", "--name-only", from, to, "--");
  return changed && withoutLedger(changed);
}

function withoutLedger(paths: readonly string[]): readonly string[] {
  return paths.filter((path) => path !== LEDGER);
}

/** Returns the lines that git prints; undefined if it fails, as for a commit that a shallow clone lacks. */
export function git(...words: readonly string[]): readonly string[] | undefined {
  const child = Bun.spawnSync(["git", "-c", "core.quotePath=false", ...words], { stderr: "ignore" });
  return child.success
    ? child.stdout
        .toString()
        .split("\n")
        .filter((line) => line !== "")
    : undefined;
}

function isOf(path: string, file: string, modules: ReadonlySet<string>): boolean {
  if (path === file || path.startsWith(file.replace(/\.test\.ts$/, "/"))) return true;
  if (SHARED.test(path)) return false;
  // Programs and scripts beside a module are no imports.
  return (
    modules.has(path) ||
    [...modules].some((module) => dirname(module) === dirname(path) && !/\.ts$/.test(path))
  );
}

/** Returns the modules of test/node that the file imports, directly or not, without the shared folders. */
function listModules(file: string, found: readonly string[] = []): readonly string[] {
  if (found.includes(file) || !existsSync(file)) return found;
  return listImports(file, readFileSync(file, "utf8"))
    .filter((path) => !SHARED.test(path) && path.startsWith("test/node/"))
    .reduce<readonly string[]>((all, path) => listModules(path, all), [...found, file]);
}
