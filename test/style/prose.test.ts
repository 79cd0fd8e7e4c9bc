import { describe, expect, test } from "bun:test";
import { Glob } from "bun";
import {
  commentText,
  countProse,
  inHundred,
  listLongComments,
  type ProseCounts,
  proseOf,
  sumCounts,
} from "./prose-counts.ts";

// A count is an alarm and no judge: a page under the bars can still be hard to read. firecracker has 0.24 and 1.0
// in 100 words, svirt had 1.06 and 3.20.

const ROOT = new URL("../../", import.meta.url).pathname;
const MOST_PRONOUNS = 0.3;
const MOST_RELATIVES = 1.5;
/** Bar for a single page: a short page has few words. */
const MOST_OF_A_PAGE = 2.2;
/** Quotations of other projects, and records of what has been. */
const PAGES = ["docs/**/*.md", "*.md", "image/*.md"];
const NOT_COUNTED: ReadonlySet<string> = new Set(["CHANGELOG.md"]);

const sources = await readAll(["src/**/*.ts"]);
const pages = (await readAll(PAGES)).filter(([file]) => !NOT_COUNTED.has(file));

async function readAll(patterns: readonly string[]): Promise<[file: string, text: string][]> {
  const files = patterns.flatMap((pattern) => [...new Glob(pattern).scanSync(ROOT)]).sort();
  return await Promise.all(
    files.map(async (file): Promise<[string, string]> => [file, await Bun.file(ROOT + file).text()]),
  );
}

function expectWithinBars(counts: ProseCounts): void {
  expect(inHundred(counts.pronouns, counts)).toBeLessThanOrEqual(MOST_PRONOUNS);
  expect(inHundred(counts.relatives, counts)).toBeLessThanOrEqual(MOST_RELATIVES);
}

test("comments of src/ repeat the noun and have few relative clauses", () => {
  const counts = sumCounts(sources.map(([, source]) => countProse(commentText(source))));
  expect(counts.words).toBeGreaterThan(50_000);
  expectWithinBars(counts);
});

test("pages repeat the noun and have few relative clauses", () => {
  const counts = sumCounts(pages.map(([, page]) => countProse(proseOf(page))));
  expect(counts.words).toBeGreaterThan(50_000);
  expectWithinBars(counts);
});

test("no single page is made of relative clauses", () => {
  const bad = pages.flatMap(([file, page]) => {
    const counts = countProse(proseOf(page));
    const found = inHundred(counts.pronouns + counts.relatives, counts);
    return found > MOST_OF_A_PAGE ? [`${file}: ${found.toFixed(2)}`] : [];
  });
  expect(pages.length).toBeGreaterThan(40);
  expect(bad).toEqual([]);
});

test("comment lines of src/ have at most 110 columns", () => {
  expect(sources.flatMap(([file, source]) => listLongComments(file, source))).toEqual([]);
});

describe("the counts", () => {
  test("find both habits in a comment, and none in the code beside it", () => {
    const source = "/** The one that a guest has, and those whose end is near. */\nconst one = that(which); // none\n";
    expect(countProse(commentText(source))).toEqual({ words: 13, pronouns: 2, relatives: 2 });
  });

  test("leave out code, code spans and targets of links", () => {
    const page =
      "A guest `that one` [reads](which.md#one).\n\n    node# that one\n\n```\nwhich one\n```\n\n- a\n    continued one\n";
    expect(countProse(proseOf(page)).pronouns).toBe(1);
    expect(countProse(proseOf(page)).relatives).toBe(0);
  });

  test("leave out the tables of a generated page only", () => {
    const table = "| that | one |\n";
    expect(countProse(proseOf(table)).pronouns).toBe(1);
    expect(countProse(proseOf(`<!-- Written by scripts/write-docs.ts from x. -->\n${table}`)).pronouns).toBe(0);
  });

  test("name the line of a comment that is too long, and no long code", () => {
    const long = "x".repeat(120);
    expect(listLongComments("a.ts", `const a = "${long}";\n  // ${long}\n`)).toEqual([
      `a.ts:2: // ${"x".repeat(77)}`,
    ]);
  });
});
