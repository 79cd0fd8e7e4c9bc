import { describe, expect, test } from "bun:test";
import { Glob } from "bun";
import {
  commentText,
  countProse,
  inHundred,
  isGenerated,
  listLongComments,
  type ProseCounts,
  proseOf,
  sumCounts,
} from "./prose-counts.ts";

// A count is an alarm and no judge: a page under the bars can still be hard to read. firecracker has 0.24 and
// 1.0 in 100 words, svirt had 1.06 and 3.20.

const ROOT = new URL("../../", import.meta.url).pathname;
const MOST_PRONOUNS = 0.3;
const MOST_RELATIVES = 1.5;
/** Bars for a single page: a short page has few words. */
const MOST_PRONOUNS_OF_A_PAGE = 0.8;
const MOST_RELATIVES_OF_A_PAGE = 2.2;
const PAGES = ["docs/**/*.md", "*.md", "image/*.md"];
/** A record of the past is not written again. */
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

test("no single page that is written by hand is far above the bars", () => {
  const written = pages.filter(([, page]) => !isGenerated(page));
  expect(written.length).toBeGreaterThan(30);
  expect(written.flatMap(listBadPage)).toEqual([]);
});

function listBadPage([file, page]: readonly [string, string]): string[] {
  const counts = countProse(proseOf(page));
  const [pronouns, relatives] = [inHundred(counts.pronouns, counts), inHundred(counts.relatives, counts)];
  const isGood = pronouns <= MOST_PRONOUNS_OF_A_PAGE && relatives <= MOST_RELATIVES_OF_A_PAGE;
  return isGood ? [] : [`${file}: ${pronouns.toFixed(2)} and ${relatives.toFixed(2)}`];
}

test("comment lines of all TypeScript have at most 110 columns", async () => {
  const others = await readAll(["scripts/**/*.ts", "test/**/*.ts", "image/**/*.ts"]);
  expect([...sources, ...others].flatMap(([file, source]) => listLongComments(file, source))).toEqual([]);
});

describe("the counts", () => {
  test("find both habits in a comment, and none in the code beside it", () => {
    const source =
      "/** The one that a guest has, and those whose end is near. */\nconst one = that(which); // none\n";
    expect(countProse(commentText(source))).toEqual({ words: 13, pronouns: 2, relatives: 2 });
  });

  test("leave out code, code spans and targets of links", () => {
    const page =
      "A guest `that one` [reads](which.md#one).\n\n    node# that one\n\n```\nwhich one\n```\n\n- a\n    continued one\n";
    expect(countProse(proseOf(page)).pronouns).toBe(1);
    expect(countProse(proseOf(page)).relatives).toBe(0);
  });

  test.each([
    "<!-- Written by scripts/write-docs.ts from x. -->\n\n",
    "# A page\n\nMade by `bun scripts/write-docs.ts`; do not edit.\n\n",
  ])("leave out tables and lists of values after %j, and not of other pages", (head) => {
    const text = '| that | one |\n\n- **`@enabled`**: one of "yes", "no"\n';
    expect(countProse(proseOf(text)).pronouns).toBe(2);
    expect(countProse(proseOf(head + text)).pronouns).toBe(0);
  });

  test("are an alarm for a page that has too many", () => {
    expect(listBadPage(["a.md", "The one that is."])).toEqual(["a.md: 25.00 and 25.00"]);
  });

  test("name the line of a comment that is too long, and no long code", () => {
    const long = "x".repeat(120);
    expect(listLongComments("a.ts", `const a = "${long}";\n  // ${long}\n`)).toEqual([
      `a.ts:2: // ${"x".repeat(77)}`,
    ]);
  });
});
