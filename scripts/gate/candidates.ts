import { waitedOf } from "./faults.ts";
import { type Entry, lastPassOf, openRacesOf, secondsOf } from "./ledger.ts";
import type { Candidate, Reason } from "./plan.ts";
import { ALWAYS, MOST_WAITED } from "./rules.ts";
import { isTouchedBy } from "./sources.ts";

/** Seconds that most files take, for a file that has never run. */
const NEW_FILE = 60;

/** Nodes of a run. */
export const NODES = 2;

/** Reports whether the other node idles meanwhile: the file uses both, or runs while no node does. */
export function needsAllNodes(file: string): boolean {
  return /^test\/(node\/pair|readme)\//.test(file);
}

/** Facts from which the gate decides how urgent a file is. */
export interface Facts {
  readonly ledger: readonly Entry[];
  /** Earlier landings: landingsOf(). */
  readonly landings: readonly Entry[];
  /** Answers whether a commit has the content of the checkout. */
  isPresent(commit: string): boolean;
  /**
   * Returns the paths that have changed from the commit to the checkout; undefined if git does not know the
   * commit.
   */
  changedSince(commit: string): readonly string[] | undefined;
  /**
   * Reports whether the path belongs to the test file: the file, a module that it imports, or a neighbour of
   * the module.
   */
  belongsTo(path: string, file: string): boolean;
}

/** Returns each file with the seconds of a node that it costs, its wait and its reason to run. */
export function rateFiles(files: readonly string[], facts: Facts): readonly Candidate[] {
  return files.map((file) => ({
    file,
    seconds: (secondsOf(facts.ledger, file) ?? NEW_FILE) * (needsAllNodes(file) ? NODES : 1),
    waited: waitedOf(facts, file),
    reason: reasonOf(file, facts),
  }));
}

function reasonOf(file: string, facts: Facts): Reason {
  if (ALWAYS.includes(file)) return "always";
  const waited = waitedOf(facts, file);
  if (waited !== undefined && waited >= MOST_WAITED) return "due";
  const changed = changedSincePass(file, facts);
  if (waited === undefined || changed?.some((path) => facts.belongsTo(path, file))) return "changed";
  if (hasFailedLately(file, facts.ledger)) return "failed";
  return changed?.some((path) => isTouchedBy(path, file)) ? "source" : "waiting";
}

/** Omits passes of the present landing: a second run on the same content, as CI's, has the same plan. */
function changedSincePass(file: string, facts: Facts): readonly string[] | undefined {
  const earlier = facts.ledger.filter(({ commit }) => !facts.isPresent(commit));
  const pass = lastPassOf(earlier, file) ?? lastPassOf(facts.ledger, file);
  return pass === undefined ? undefined : facts.changedSince(pass.commit);
}

function hasFailedLately(file: string, ledger: readonly Entry[]): boolean {
  const last = ledger.findLast(({ subject, result }) => subject === file && result !== "closed");
  return last?.result === "failed" || openRacesOf(ledger).some(({ subject }) => subject === file);
}
