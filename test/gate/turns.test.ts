import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Glob } from "bun";
import { isUnforgiven } from "../../scripts/gate/rules.ts";
import { decideTurns, type HostFile, IN_TURN, TURNS } from "../../scripts/gate/turns.ts";

const SLOW: readonly HostFile[] = [1, 2, 3, 4, 5].map((at) => ({
  file: `test/vm/slow${at}.test.ts`,
  head: `${IN_TURN}: it kills a command at every step.`,
}));
const QUICK: HostFile = { file: "test/xml/quick.test.ts", head: 'import { test } from "bun:test";' };

test("every slow file runs in one of four successive seeds of files, and other files in all of them", () => {
  const runs = Array.from({ length: TURNS }, (_, turn) => decideTurns([...SLOW, QUICK], 19 * turn, []));
  for (const { file } of SLOW) expect(runs.filter(({ run }) => run.includes(file))).toHaveLength(1);
  for (const { left, run } of runs) {
    expect(run).toContain(QUICK.file);
    expect([...run, ...left].toSorted()).toEqual([...SLOW, QUICK].map(({ file }) => file).toSorted());
  }
});

test("a slow file runs out of its turn after a change in its folder, of source or of tests", () => {
  const all = SLOW.map(({ file }) => file);
  for (const changed of ["src/vm/start.ts", "test/vm/slow3.test.ts", "test/vm/helper.ts"])
    expect(decideTurns(SLOW, 0, [changed]).run).toEqual(all);
  for (const changed of ["src/vm/start/guest.ts", "README.md", "test/xml/quick.test.ts"])
    expect(decideTurns(SLOW, 0, [changed]).run.length).toBeLessThan(all.length);
});

test("no file takes turns whose failure is never forgiven", () => {
  const files = [...new Glob("test/**/*.test.ts").scanSync(".")];
  const inTurn = files.filter((file) => readFileSync(file, "utf8").startsWith(IN_TURN));
  expect(inTurn).not.toBeEmpty();
  expect(inTurn.filter((file) => isUnforgiven(file))).toEqual([]);
});
