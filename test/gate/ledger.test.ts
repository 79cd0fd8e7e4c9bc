import { expect, test } from "bun:test";
import {
  formatEntry,
  landingsAfter,
  landingsOf,
  lastPassOf,
  openRacesOf,
  parseLedger,
  secondsOf,
} from "../../scripts/gate/ledger.ts";
import { commitOf, entry, landings } from "./values.ts";

const LINE = "test/node/a.test.ts\te57ed558\t2026-12-01T00:00:00Z\t155\traced\twaits for ever";
const FILE = "test/node/a.test.ts";

test("a line of the ledger has six cells, and is read as it was written", () => {
  const [read] = parseLedger(`# a comment\n\n${LINE}\n`);
  expect(read).toEqual({
    subject: FILE,
    commit: "e57ed558",
    date: "2026-12-01T00:00:00Z",
    seconds: 155,
    result: "raced",
    note: "waits for ever",
  });
  expect(read && formatEntry(read)).toBe(LINE);
});

test.each([
  ["a result that is no result", LINE.replace("raced", "fine")],
  ["a commit that is no commit", LINE.replace("e57ed558", "main")],
  ["another form of date", LINE.replace("T00:00:00Z", "")],
  ["seconds that are no number", LINE.replace("155", "long")],
  ["a seventh cell", `${LINE}\tmore`],
  ["remains of a merge", "<<<<<<< HEAD"],
])("a ledger with %s is refused", (_, line) => {
  expect(() => parseLedger(`${LINE}\n${line}\n`)).toThrow("line 2");
});

test("a title with a tab or a line break stays in its line", () => {
  expect(parseLedger(formatEntry(entry(FILE, 1, { note: "one\ttwo\nthree" })))[0]?.note).toBe(
    "one two three",
  );
});

test("lines that a merge has mixed are read in the order of their dates", () => {
  const mixed = [entry(FILE, 3), entry(FILE, 1), entry(FILE, 2)].map(formatEntry).join("\n");
  expect(parseLedger(mixed).map(({ commit }) => commit)).toEqual([1, 2, 3].map(commitOf));
});

test("a landing is a commit whose recorded run of .ci/run has passed", () => {
  const ledger = [
    ...landings(1, 2),
    entry("gate", 3, { result: "failed" }),
    entry("gate", 2, { date: "2026-12-01T05:00:00Z" }),
    entry("all", 4),
  ];
  expect(landingsOf(ledger, () => false).map(({ commit }) => commit)).toEqual([1, 2].map(commitOf));
});

test("the run that is recorded for the present content is no earlier landing", () => {
  expect(landingsOf(landings(1, 2), (commit) => commit === commitOf(2))).toHaveLength(1);
});

test("a file that ran within a landing has not waited for it", () => {
  const file = entry(FILE, 2, { date: "2026-12-01T01:59:00Z" });
  expect(landingsAfter(file, landings(1, 2, 3)).map(({ commit }) => commit)).toEqual([commitOf(3)]);
});

test("neither a failure nor a race is a pass", () => {
  const ledger = [entry(FILE, 1), entry(FILE, 2, { result: "failed" }), entry(FILE, 3, { result: "raced" })];
  expect(lastPassOf(ledger, FILE)?.commit).toBe(commitOf(1));
});

test("a file takes the least seconds of its last three runs that passed or raced, since a busy machine adds to them", () => {
  const run = (at: number, seconds: number, result: "passed" | "raced" | "failed" = "passed") =>
    entry(FILE, at, { seconds, result });
  expect(secondsOf([], FILE)).toBeUndefined();
  expect(secondsOf([run(1, 70, "raced")], FILE)).toBe(70);
  expect(secondsOf([run(1, 40), run(2, 70), run(3, 10, "failed"), run(4, 60), run(5, 90)], FILE)).toBe(60);
});

test("a race is open until a later line closes it; a pass does not", () => {
  const race = entry(FILE, 1, { result: "raced" });
  const closed = entry(FILE, 3, { result: "closed" });
  expect(openRacesOf([race, entry(FILE, 2)])).toEqual([race]);
  expect(openRacesOf([race, entry("other", 2, { result: "closed" })])).toEqual([race]);
  expect(openRacesOf([race, closed])).toEqual([]);
  const again = entry(FILE, 4, { result: "raced" });
  expect(openRacesOf([race, closed, again])).toEqual([again]);
});
