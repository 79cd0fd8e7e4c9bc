import { expect, test } from "bun:test";
import { rateFiles } from "../../scripts/gate/candidates.ts";
import { type Candidate, formatPlan, planGate, type Reason } from "../../scripts/gate/plan.ts";
import { commitOf, entry, factsOf, landings } from "./values.ts";

const A = "test/node/a.test.ts";
const LABELS = "test/node/labels.test.ts";

function reasonOf(file: string, facts: ReturnType<typeof factsOf>): Reason | undefined {
  return rateFiles([file], facts)[0]?.reason;
}

test("launch and isolation always run", () => {
  const file = "test/node/isolation.test.ts";
  expect(reasonOf(file, factsOf([entry(file, 1)]))).toBe("always");
});

test("a file that would have waited for more than three landings with this one is due", () => {
  expect(reasonOf(A, factsOf([entry(A, 1), ...landings(2, 3)]))).toBe("waiting");
  expect(reasonOf(A, factsOf([entry(A, 1), ...landings(2, 3, 4)]))).toBe("due");
});

test("a file that has never passed counts as changed", () => {
  expect(reasonOf(A, factsOf([]))).toBe("changed");
});

test("a file that differs from its last pass has changed", () => {
  const since = (paths: readonly string[]) => factsOf([entry(A, 1)], { changedSince: () => paths });
  expect(reasonOf(A, since([A]))).toBe("changed");
  expect(reasonOf(A, since(["docs/labels.md"]))).toBe("waiting");
});

test("a change of a source folder touches the files of the map", () => {
  const facts = factsOf([entry(LABELS, 1)], { changedSince: () => ["src/label/roles.ts"] });
  expect(reasonOf(LABELS, facts)).toBe("source");
});

test("the result of the present content hides no change: CI runs again what the developer's gate has run", () => {
  const facts = factsOf([entry(A, 1), entry(A, 2)], {
    isPresent: (commit) => commit === commitOf(2),
    changedSince: (commit) => (commit === commitOf(1) ? [A] : []),
  });
  expect(reasonOf(A, facts)).toBe("changed");
});

test("a file that has failed last, or whose race is open, runs before others", () => {
  expect(reasonOf(A, factsOf([entry(A, 1), entry(A, 2, { result: "failed" })]))).toBe("failed");
  const raced = [entry(A, 1), entry(A, 2, { result: "raced" }), entry(A, 3)];
  expect(reasonOf(A, factsOf(raced))).toBe("failed");
  expect(reasonOf(A, factsOf([...raced, entry(A, 4, { result: "closed" })]))).toBe("waiting");
});

test("a file costs the seconds of its runs, for both nodes if the other one idles", () => {
  const pair = "test/node/pair/machines.test.ts";
  const ledger = [entry(A, 1, { seconds: 41 }), entry(pair, 1, { seconds: 41 })];
  expect(
    rateFiles([A, pair, "test/node/new.test.ts"], factsOf(ledger)).map(({ seconds }) => seconds),
  ).toEqual([41, 82, 60]);
});

function candidate(file: string, reason: Reason, more: Partial<Candidate> = {}): Candidate {
  return { file: `test/node/${file}.test.ts`, reason, seconds: 94, waited: 0, ...more };
}

/** Returns the names of the chosen files, sorted. Each costs 100 s. */
function namesOf(candidates: readonly Candidate[], budget: number): string {
  const { run } = planGate(candidates, budget);
  return run
    .map(({ file }) => file.replace(/^test\/node\/|\.test\.ts$/g, ""))
    .sort()
    .join(" ");
}

test("the most urgent files get the budget", () => {
  const all = [
    candidate("waiting", "waiting"),
    candidate("source", "source"),
    candidate("failed", "failed"),
    candidate("changed", "changed"),
    candidate("due", "due", { waited: 3 }),
    candidate("always", "always"),
  ];
  expect(namesOf(all, 300)).toBe("always changed due");
  expect(namesOf(all, 400)).toBe("always changed due failed");
  expect(namesOf(all, 500)).toBe("always changed due failed source");
  expect(namesOf(all, 600)).toBe("always changed due failed source waiting");
});

test("of waiting files the longest waiting come first, and shorter ones fill the rest", () => {
  const all = [
    candidate("young", "waiting", { waited: 1 }),
    candidate("old", "waiting", { waited: 2 }),
    candidate("long", "waiting", { waited: 2, seconds: 200 }),
    candidate("short", "waiting", { seconds: 30 }),
  ];
  expect(namesOf(all, 310)).toBe("long old");
  expect(namesOf(all, 140)).toBe("old short");
});

test("changed sources leave the time that later gates would lack for waiting files", () => {
  const waiting = Array.from({ length: 12 }, (_, at) => candidate(`w${at}`, "waiting", { waited: 2 }));
  const touched = Array.from({ length: 4 }, (_, at) => candidate(`s${at}`, "source"));
  const { run } = planGate([...touched, ...waiting], 800);
  // The next gate has 600 s for the 12 files, of which each is due then.
  expect(run.filter(({ reason }) => reason === "waiting").length).toBeGreaterThanOrEqual(6);
});

test("no plan exceeds its budget, except by files without which the gate fails", () => {
  const due = [candidate("one", "due", { waited: 3 }), candidate("two", "due", { waited: 3 })];
  expect(planGate([...due, candidate("three", "changed")], 150)).toMatchObject({ run: due, seconds: 200 });
  expect(planGate([candidate("three", "changed")], 99)).toMatchObject({ run: [], seconds: 0 });
});

test("the printed plan has the sum, and lists each file that is left out by its wait", () => {
  const plan = planGate(
    [
      candidate("a", "always"),
      candidate("b", "waiting", { waited: 2 }),
      candidate("c", "waiting", { waited: 1 }),
    ],
    110,
  );
  expect(formatPlan(plan, 110).split("\n")).toEqual([
    "planned: 1 files, 100 s of 110 s",
    "  always: node/a 94",
    "  left out, waited for 2 landings: node/b 94",
    "  left out, waited for 1 landings: node/c 94",
  ]);
});
