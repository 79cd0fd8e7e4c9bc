import { expect, test } from "bun:test";
import {
  compareFigures,
  formatFigure,
  isNews,
  isSlower,
  listUnmeasured,
  parseFigures,
} from "../../scripts/gate/figures.ts";

const OLD = "list\te57ed558\t2026-12-01\t900\t100";
const LINE = "list\t193fc625\t2026-12-07\t800\t100";
const FIGURES = parseFigures(`# a comment\n\n${OLD}\n${LINE}\n`);

/** Compares `list` with its figures above, of which the last is 8 references. */
function compareList(instructions: number, reference = 100) {
  const [change] = compareFigures(FIGURES, { counts: new Map([["list", instructions]]), reference });
  if (change === undefined) throw new Error("list is not compared");
  return change;
}

test("a figure is read as it was written", () => {
  const [, read] = FIGURES;
  expect(read).toEqual({
    command: "list",
    commit: "193fc625",
    date: "2026-12-07",
    instructions: 800,
    reference: 100,
  });
  expect(read && formatFigure(read)).toBe(LINE);
});

test.each([
  ["no command", LINE.replace("list", "")],
  ["a commit that is no commit", LINE.replace("193fc625", "main")],
  ["another form of date", LINE.replace("-07", "-07T00:00:00Z")],
  ["instructions that are no number", LINE.replace("800", "8e2")],
  ["a reference of 0", LINE.replace("100", "0")],
  ["a sixth cell", `${LINE}\tmore`],
  ["remains of a merge", "<<<<<<< HEAD"],
])("figures with %s are refused", (_, line) => {
  expect(() => parseFigures(`${LINE}\n${line}\n`)).toThrow("line 2");
});

test("a command is compared with its last figure", () => {
  expect(compareList(800)).toMatchObject({ last: { commit: "193fc625" }, ratio: 1 });
});

test("a command is slower beyond a tenth over its last figure", () => {
  expect(compareList(879).ratio).toBeCloseTo(1.099, 3);
  expect([879, 881].map((count) => isSlower(compareList(count)))).toEqual([false, true]);
});

test("what makes all programs slower, makes no command slower: it is compared by the reference", () => {
  expect(compareList(1600, 200).ratio).toBe(1);
});

test("a command without a figure is not slower, and is recorded", () => {
  const [change] = compareFigures([], { counts: new Map([["list", 800]]), reference: 100 });
  expect(change).toMatchObject({ last: undefined, ratio: 1 });
  expect(change && [isSlower(change), isNews(change)]).toEqual([false, true]);
});

test("a figure is recorded if it is better or worse by more than a fiftieth", () => {
  expect([780, 785, 815, 820].map((count) => isNews(compareList(count)))).toEqual([true, false, false, true]);
});

test("a command that is measured no longer is named", () => {
  expect(listUnmeasured(FIGURES, { counts: new Map(), reference: 100 })).toEqual(["list"]);
  expect(listUnmeasured(FIGURES, { counts: new Map([["list", 1]]), reference: 100 })).toEqual([]);
});
