/**
 * Plans the gate, judges and writes its ledger, test/ledger.tsv. scripts/test and .ci/run call it:
 *
 *     bun scripts/gate.ts faults                     the faults by the ledger; exit 1 if any
 *     bun scripts/gate.ts plan SECONDS SEED FILE...  the queue of a gate: `CLASS SECONDS FILE` lines
 *     bun scripts/gate.ts order SEED FILE...         the queue of a run of these files
 *     bun scripts/gate.ts reruns FILE...             the failed files that run once more
 *     bun scripts/gate.ts judge LEFT RESULTS         the faults after a run; exit 1 if any
 *     bun scripts/gate.ts turns SEED FILE...         host test files of a sample: `run FILE`, `left FILE`
 *     bun scripts/gate.ts record RESULTS             writes results to the ledger
 *     bun scripts/gate.ts close FILE COMMIT REASON... closes a race whose cause was found
 *
 * A fault is a reason for which the gate fails. With SVIRT_LEDGER=read, `record` prints the results instead.
 * RESULTS has lines `SUBJECT SECONDS RESULT NOTE`, separated by tabs; LEFT has lines of the queue that were
 * not run.
 */
import { appendFileSync, readFileSync } from "node:fs";
import { NODES, rateFiles } from "./gate/candidates.ts";
import { git, LEDGER, listChanged, readCheckout } from "./gate/checkout.ts";
import { findLedgerFaults } from "./gate/faults.ts";
import { type Entry, formatEntry, openRacesOf, parseLedger } from "./gate/ledger.ts";
import { type Candidate, formatPlan, isMust, planGate } from "./gate/plan.ts";
import { decideReruns, MOST_OPEN_RACES } from "./gate/rules.ts";
import { orderFiles } from "./gate/schedule.ts";
import { decideTurns } from "./gate/turns.ts";

const [verb = "", ...words] = process.argv.slice(2);

switch (verb) {
  case "faults":
    fail(findLedgerFaults(readCheckout(words.map(withoutDot))));
    break;
  case "plan":
    plan(Number(words[0]), Number(words[1]), words.slice(2));
    break;
  case "order":
    showQueue(rate(words.slice(1)), Number(words[0]));
    break;
  case "reruns":
    for (const file of decideReruns(words.map(withoutDot))) say(`./${file}`);
    break;
  case "judge":
    judge(words[0] ?? "", words[1] ?? "");
    break;
  case "turns":
    showTurns(Number(words[0]), words.slice(1).map(withoutDot));
    break;
  case "record":
    record(words[0] ?? "");
    break;
  case "close":
    close(words);
    break;
  default:
    throw new Error(`no verb is called ${verb}: see the comment in scripts/gate.ts`);
}

function rate(files: readonly string[]): readonly Candidate[] {
  const names = files.map(withoutDot);
  return rateFiles(names, readCheckout(names));
}

function plan(budget: number, seed: number, files: readonly string[]): void {
  const chosen = planGate(rate(files), budget);
  process.stderr.write(`${formatPlan(chosen, budget)}\n`);
  showQueue(chosen.run, seed);
}

function showQueue(files: readonly Candidate[], seed: number): void {
  for (const candidate of orderFiles(files, seed, NODES)) {
    say(`${partOf(candidate)} ${candidate.seconds} ./${candidate.file}`);
  }
}

/** Returns the class of the file in the queue: until when a node may begin with it. */
function partOf(candidate: Candidate): "always" | "must" | "may" {
  if (candidate.reason === "always") return "always";
  return isMust(candidate) ? "must" : "may";
}

function showTurns(seed: number, files: readonly string[]): void {
  const read = files.map((file) => ({ file, text: readFileSync(file, "utf8") }));
  // CI runs what has changed since the last landing. A shallow clone may lack a commit.
  const landed = process.env["CI"] === undefined ? undefined : readCheckout(files).landings.at(-1)?.commit;
  const changed = listChanged(landed ?? "HEAD~1") ?? listChanged("HEAD~1") ?? listChanged("HEAD") ?? [];
  const { left, run } = decideTurns(read, seed, changed);
  for (const file of run) say(`run ./${file}`);
  for (const file of left) say(`left ./${file}`);
}

function judge(left: string, results: string): void {
  const waiting = readLines(left)
    .map((line) => line.split(" "))
    .filter(([part]) => part !== "may")
    .map(
      ([, , file = ""]) =>
        `${withoutDot(file)} was due, and its time has not come: run scripts/test ${withoutDot(file)}`,
    );
  const open = openRacesOf(parseLedger(readFileSync(LEDGER, "utf8")));
  const raced = readResults(results).filter(({ result }) => result === "raced");
  const many = [...open, ...raced].length;
  const races =
    raced.length > 0 && many > MOST_OPEN_RACES ? [`${many} races are open with those of this run`] : [];
  fail([...waiting, ...races]);
}

/** Writes lines only for a checkout without changes: a line names its commit. */
function record(results: string): void {
  const lines = readResults(results).map((entry) => `${formatEntry(entry)}\n`);
  const changed = git("status", "--porcelain", "--untracked-files=all")?.filter(
    (line) => line.slice(3) !== LEDGER,
  );
  if (process.env["SVIRT_LEDGER"] === "read") process.stderr.write(`for the ledger:\n${lines.join("")}`);
  else if (changed?.length === 0) appendFileSync(LEDGER, lines.join(""));
  else process.stderr.write("the ledger gets no line: the checkout has changes that are not committed\n");
}

function close([file = "", commit = "", ...reason]: readonly string[]): void {
  const known = git("rev-parse", "--verify", "--quiet", "--short=8", `${commit}^{commit}`)?.[0];
  if (known === undefined || reason.length === 0)
    throw new Error("give a file, a commit that exists, and the reason");
  const entry: Entry = {
    subject: file,
    commit: known,
    date: now(),
    seconds: 0,
    result: "closed",
    note: reason.join(" "),
  };
  parseLedger(formatEntry(entry));
  appendFileSync(LEDGER, `${formatEntry(entry)}\n`);
}

function readResults(file: string): readonly Entry[] {
  const commit = git("rev-parse", "--short=8", "HEAD")?.[0] ?? "";
  const lines = readLines(file).map((line) => {
    const [subject = "", seconds = "", result = "", note = ""] = line.split("\t");
    return [withoutDot(subject), commit, now(), seconds, result, note].join("\t").trimEnd();
  });
  return parseLedger(lines.join("\n"));
}

function readLines(file: string): readonly string[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "");
}

function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, "Z");
}

function withoutDot(file: string): string {
  return file.replace(/^\.\//, "");
}

function fail(faults: readonly string[]): void {
  for (const fault of faults) say(fault);
  if (faults.length > 0) process.exitCode = 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
