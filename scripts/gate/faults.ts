import { type Entry, landingsAfter, lastPassOf, openRacesOf } from "./ledger.ts";
import {
  MAKES_ALL_DUE,
  MOST_OPEN_LANDINGS,
  MOST_OPEN_RACES,
  MOST_WAITED,
  MOST_WITHOUT_ALL,
} from "./rules.ts";

/** Facts that decide whether the ledger holds. */
export interface LedgerFacts {
  readonly ledger: readonly Entry[];
  /** Earlier landings: landingsOf(). */
  readonly landings: readonly Entry[];
  /** Files of the checkout that the ledger answers for. */
  readonly files: readonly string[];
  /** Returns the paths that differ between two commits; undefined if git does not know one of them. */
  changedBetween(from: string, to: string): readonly string[] | undefined;
}

/** Returns each reason for which the gate fails by the ledger alone, with the remedy. */
export function findLedgerFaults(facts: LedgerFacts): readonly string[] {
  return [...findOverdue(facts), ...findAllOverdue(facts), ...findRaces(facts)];
}

/** Returns the landings since the file has passed; undefined if it has never passed. */
export function waitedOf(facts: Pick<LedgerFacts, "ledger" | "landings">, file: string): number | undefined {
  const pass = lastPassOf(facts.ledger, file);
  return pass === undefined ? undefined : landingsAfter(pass, facts.landings).length;
}

function findOverdue(facts: LedgerFacts): readonly string[] {
  return facts.files.flatMap((file) => {
    const waited = waitedOf(facts, file) ?? 0;
    return waited > MOST_WAITED
      ? [`${file} has waited for ${waited} landings: run scripts/test ${file}, and commit the ledger`]
      : [];
  });
}

function findAllOverdue({ changedBetween, landings, ledger }: LedgerFacts): readonly string[] {
  const remedy = "run scripts/test --all, and commit the ledger";
  const all = lastPassOf(ledger, "all");
  if (all === undefined) return [`scripts/test --all has never passed: ${remedy}`];
  const since = landingsAfter(all, landings);
  if (since.length > MOST_WITHOUT_ALL)
    return [`scripts/test --all has waited for ${since.length} landings: ${remedy}`];
  // The landing that changes them comes first: scripts/test --all is due from its landing to the next.
  const changing = since.find(({ commit }) =>
    changedBetween(all.commit, commit)?.some((path) => MAKES_ALL_DUE.test(path)),
  );
  return changing === undefined
    ? []
    : [
        `scripts, image or packages changed by ${changing.commit}, without scripts/test --all since: ${remedy}`,
      ];
}

function findRaces({ landings, ledger }: LedgerFacts): readonly string[] {
  const open = openRacesOf(ledger);
  const remedy = "find its cause, mend it, and record: bun scripts/gate.ts close FILE COMMIT REASON";
  const old = open.flatMap((race) => {
    const age = landingsAfter(race, landings).length;
    return age > MOST_OPEN_LANDINGS
      ? [`the race of ${race.subject} has been open for ${age} landings (${race.note}): ${remedy}`]
      : [];
  });
  const many = open.map(({ note, subject }) => `${subject} (${note})`).join(", ");
  return open.length > MOST_OPEN_RACES ? [...old, `${open.length} races are open, ${many}: ${remedy}`] : old;
}
