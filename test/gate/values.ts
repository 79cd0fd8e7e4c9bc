import type { Facts } from "../../scripts/gate/candidates.ts";
import type { LedgerFacts } from "../../scripts/gate/faults.ts";
import { type Entry, landingsOf } from "../../scripts/gate/ledger.ts";

/** Returns a commit and a date for each number; later numbers have later dates. */
export function commitOf(at: number): string {
  return String(at).padStart(8, "0");
}

function dateOf(at: number): string {
  return `2026-12-01T${String(at).padStart(2, "0")}:00:00Z`;
}

/** Returns an entry at the commit of that number. */
export function entry(subject: string, at: number, more: Partial<Entry> = {}): Entry {
  return {
    subject,
    commit: commitOf(at),
    date: dateOf(at),
    seconds: 50,
    result: "passed",
    note: "",
    ...more,
  };
}

/** Returns a landing for each number. */
export function landings(...numbers: readonly number[]): readonly Entry[] {
  return numbers.map((at) => entry("gate", at));
}

/**
 * Returns facts of a checkout in which nothing has changed since any commit, and that is no recorded commit.
 */
export function factsOf(
  ledger: readonly Entry[],
  more: Partial<Facts & LedgerFacts> = {},
): Facts & LedgerFacts {
  const isPresent = more.isPresent ?? (() => false);
  return {
    ledger,
    landings: landingsOf(ledger, isPresent),
    files: [],
    isPresent,
    changedSince: () => [],
    changedBetween: () => [],
    belongsTo: (path, file) => path === file,
    ...more,
  };
}
