import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Glob } from "bun";
import { isUnforgiven } from "../../scripts/gate/rules.ts";
import { decideTurns, type HostFile, IN_TURN, SLOW_TURNS, TURNS } from "../../scripts/gate/turns.ts";

const NUMBERS = [1, 2, 3, 4, 5];
const SLOW: readonly HostFile[] = NUMBERS.map((at) => ({
  file: `test/vm/slow${at}.test.ts`,
  text: `${IN_TURN}: it kills a command at every step.\n`,
}));
const QUICK: readonly HostFile[] = NUMBERS.map((at) => ({
  file: `test/xml/quick${at}.test.ts`,
  text: 'import { parse } from "../../src/xml/parse.ts";\nimport { find } from "../memory-host/find.ts";\n',
}));
const UNFORGIVEN: HostFile = { file: "test/vm/recover/undone.test.ts", text: "" };
const ALL = [...SLOW, ...QUICK, UNFORGIVEN];

/** Returns the files that successive samples run. */
function runsOf(count: number): readonly (readonly string[])[] {
  return Array.from({ length: count }, (_, turn) => decideTurns(ALL, 19 * turn, []).run);
}

test("successive seeds run every slow file in one of four samples and every other file in one of three", () => {
  for (const { file } of SLOW) expect(runsOf(SLOW_TURNS).filter((run) => run.includes(file))).toHaveLength(1);
  for (const { file } of QUICK) expect(runsOf(TURNS).filter((run) => run.includes(file))).toHaveLength(1);
});

test("a sample names every file, and runs each whose failure is never forgiven", () => {
  for (const seed of [0, 19, 38, 57]) {
    const { left, run } = decideTurns(ALL, seed, []);
    expect([...run, ...left].toSorted()).toEqual(ALL.map(({ file }) => file).toSorted());
    expect(run).toContain(UNFORGIVEN.file);
  }
});

test("files run out of their turn after a change in their folder, of source or of tests", () => {
  const all = SLOW.map(({ file }) => file);
  for (const changed of ["src/vm/start.ts", "test/vm/slow3.test.ts", "test/vm/helper.ts"])
    expect(decideTurns(SLOW, 0, [changed]).run).toEqual(all);
  for (const changed of ["src/vm/start/guest.ts", "README.md", "test/xml/quick1.test.ts"])
    expect(decideTurns(SLOW, 0, [changed]).run.length).toBeLessThan(all.length);
});

test("files run out of their turn after a change of a module that they import", () => {
  const all = QUICK.map(({ file }) => file);
  expect(decideTurns(QUICK, 0, ["test/memory-host/find.ts"]).run).toEqual(all);
  expect(decideTurns(QUICK, 0, ["test/memory-host/other.ts"]).run.length).toBeLessThan(all.length);
});

test("no slow file is marked whose failure is never forgiven, since it runs in every sample", () => {
  const files = [...new Glob("test/**/*.test.ts").scanSync(".")];
  const slow = files.filter((file) => readFileSync(file, "utf8").startsWith(IN_TURN));
  expect(slow).not.toBeEmpty();
  expect(slow.filter((file) => isUnforgiven(file))).toEqual([]);
});
