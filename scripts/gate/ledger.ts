/**
 * Results in the ledger. `raced`: failed, then passed alone on a fresh node. `closed`: the cause of a race
 * was found.
 */
const RESULTS = ["passed", "failed", "raced", "closed"] as const;
type Result = (typeof RESULTS)[number];

/** Line of test/ledger.tsv. */
export interface Entry {
  /** Path of a test file, or `gate` for .ci/run, or `all` for `scripts/test --all`. */
  readonly subject: string;
  readonly commit: string;
  /** End of the run, in UTC: `2026-12-01T17:10:14Z`. */
  readonly date: string;
  readonly seconds: number;
  readonly result: Result;
  /** Title of the test that raced, or the reason for closing. */
  readonly note: string;
}

const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const COMMIT = /^[0-9a-f]{8,40}$/;

/**
 * Parses the ledger, and sorts it by date. Lines with `#` are comments. Throws for a line of another form.
 */
export function parseLedger(text: string): readonly Entry[] {
  const entries = text.split("\n").flatMap((line, at) => {
    if (line === "" || line.startsWith("#")) return [];
    const entry = parseLine(line);
    if (entry === undefined) throw new Error(`Cannot read the ledger: line ${at + 1} is ${line}`);
    return [entry];
  });
  return entries.toSorted((one, other) => compare(one.date, other.date));
}

function parseLine(line: string): Entry | undefined {
  const [subject = "", commit = "", date = "", seconds = "", word = "", note = "", ...rest] =
    line.split("\t");
  const result = RESULTS.find((known) => known === word);
  const isForm = subject !== "" && COMMIT.test(commit) && DATE.test(date) && /^\d+$/.test(seconds);
  if (!isForm || result === undefined || rest.length > 0) return undefined;
  return { subject, commit, date, seconds: Number(seconds), result, note };
}

/** Formats an entry as a line of the ledger, without a line break. */
export function formatEntry({ subject, commit, date, seconds, result, note }: Entry): string {
  const cells = [subject, commit, date, String(Math.round(seconds)), result, note];
  return cells
    .map((cell) => cell.replaceAll(/[\t\n]+/g, " "))
    .join("\t")
    .trimEnd();
}

/**
 * Answers whether a commit has the content of the checkout: entries of the present landing are no earlier
 * landing.
 */
export type IsPresent = (commit: string) => boolean;

/**
 * Returns the landings: the last recorded run of .ci/run that passed, for each commit except the present one.
 */
export function landingsOf(ledger: readonly Entry[], isPresent: IsPresent): readonly Entry[] {
  const passed = ledger.filter(({ subject, result }) => subject === "gate" && result === "passed");
  const byCommit = new Map(passed.map((entry) => [entry.commit, entry]));
  return [...byCommit.values()].filter(({ commit }) => !isPresent(commit));
}

/** Returns the landings after an entry; a landing of the entry's own commit included the entry's run. */
export function landingsAfter(entry: Entry, landings: readonly Entry[]): readonly Entry[] {
  return landings.filter(({ commit, date }) => date >= entry.date && commit !== entry.commit);
}

/** Returns the last entry in which the subject passed; undefined if there is none. */
export function lastPassOf(ledger: readonly Entry[], subject: string): Entry | undefined {
  return ledger.findLast((entry) => entry.subject === subject && entry.result === "passed");
}

/** Returns the races without a later `closed` entry of the same file. */
export function openRacesOf(ledger: readonly Entry[]): readonly Entry[] {
  return ledger.filter(
    (entry, at) =>
      entry.result === "raced" &&
      !ledger.some(
        ({ subject, result }, later) => later > at && subject === entry.subject && result === "closed",
      ),
  );
}

/** Runs of a file whose seconds count. */
const LAST_RUNS = 3;

/**
 * Returns the least seconds of the file's last three runs that passed or raced; undefined if there is none. A
 * busy machine only adds to them: one has taken 1.5 times as long for all files.
 */
export function secondsOf(ledger: readonly Entry[], file: string): number | undefined {
  const runs = ledger.filter(
    ({ subject, result }) => subject === file && (result === "passed" || result === "raced"),
  );
  const [first, ...others] = runs.slice(-LAST_RUNS).map(({ seconds }) => seconds);
  return first === undefined ? undefined : Math.min(first, ...others);
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
