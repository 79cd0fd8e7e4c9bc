import { expect, test } from "bun:test";
import { Glob } from "bun";
import { listDifferences, listStatedRules, listTabledRules } from "./rules.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const SRC = `${ROOT}src/`;
const tabled = listTabledRules(await Bun.file(`${ROOT}ARCHITECTURE.md`).text());
const files = [...new Glob("**/*.ts").scanSync(SRC)].sort();
const sources = new Map(
  await Promise.all(files.map(async (file) => [file, await Bun.file(SRC + file).text()] as const)),
);

test("each file of the table of rules states its rules, and each stated rule is in the table", () => {
  expect(listDifferences(tabled, listStatedRules(sources))).toEqual([]);
});

test("the table has the rules of every part of the product", () => {
  expect(new Set(tabled.map(({ rule }) => rule)).size).toBeGreaterThan(100);
  const parts = new Set(tabled.map(({ file }) => file.split("/")[0]));
  for (const part of ["access", "label", "labelling", "network", "run", "state", "storage", "vm", "xml"])
    expect(parts).toContain(part);
});

test.each(tabled.map(({ rule }) => rule))("%j is a sentence that fits into a line of a comment", (rule) => {
  expect(rule).toMatch(/^(?:[A-Z]|relabel=).*\.$/);
  expect(`// Rule: ${rule}`.length).toBeLessThanOrEqual(110);
});

const PAGE = (row: string): string =>
  `## Where each rule is\n\n| rule | file |\n| --- | --- |\n${row}\n\n## Next\n`;
const ROW = PAGE("| A is B. | [a.ts](src/x/a.ts), [b.ts](src/x/b.ts) |");

test.each([
  [
    ROW,
    { "x/a.ts": "// Rule: A is B.\n", "x/b.ts": "// Rule: A is C.\n" },
    ["x/b.ts: A is B.", "x/b.ts: A is C."],
  ],
  [ROW, { "x/a.ts": "// Rule: A is B.\n" }, ["x/b.ts: A is B."]],
  [ROW, { "x/a.ts": "// Rule: A is B.\n", "x/b.ts": 'const a = "// Rule: A is B.";\n' }, ["x/b.ts: A is B."]],
  [PAGE(""), { "x/a.ts": "// Rule: A is B.\n" }, ["x/a.ts: A is B."]],
  [ROW, { "x/a.ts": "// Rule: A is B.\n", "x/b.ts": "// Rule: A is B.\n" }, []],
] as const)("listDifferences() compares %j with %j", (page, stated, differences) => {
  const found = listDifferences(listTabledRules(page), listStatedRules(new Map(Object.entries(stated))));
  expect([...found].sort()).toEqual([...differences]);
});
