import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { listAnchors, listBrokenLinks, type Pages } from "./markdown-links.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const NOT_OURS: ReadonlySet<string> = new Set(["node_modules", "dist", ".git"]);
const SOURCE = /(?:\.(?:ts|sh|cil|xml|json|yml)|\/[a-z-]+)$/;

const files = [...walk("")];
const readText = (file: string): string => readFileSync(join(ROOT, file), "utf8");
const texts = new Map(files.filter((file) => file.endsWith(".md")).map((file) => [file, readText(file)]));

test("every relative link of a *.md file leads to a file, and its anchor to a heading or a line", () => {
  expect(texts.size).toBeGreaterThan(10);
  expect(listBrokenLinks({ texts, countLines })).toEqual([]);
});

test("every docs/*.md that a source file names exists", () => {
  const named = files
    .filter((file) => SOURCE.test(file) && !file.startsWith("test/style/") && !file.startsWith("test/data/"))
    .flatMap((file) =>
      [...readText(file).matchAll(/(?<![\w/.])(?:\.\.\/)*(docs\/[\w/.-]+\.md)\b/g)].map(([, path = ""]) => [
        file,
        path,
      ]),
    );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter(([, path = ""]) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test("docs/decisions/README.md lists every decision", () => {
  const index = texts.get("docs/decisions/README.md") ?? "";
  const decisions = [...texts].filter(([file]) => /^docs\/decisions\/(?!README)/.test(file));
  const unlisted = decisions.flatMap(([file, text]) =>
    [...listAnchors(text.replace(/^# .*$/m, ""))]
      .map((anchor) => `${basename(file)}#${anchor}`)
      .filter((link) => !index.includes(`(${link})`)),
  );
  expect(decisions.length).toBeGreaterThan(10);
  expect(unlisted).toEqual([]);
});

describe("listBrokenLinks()", () => {
  const broken = (text: string): string[] =>
    listBrokenLinks(
      pages({ "docs/a.md": text, "docs/b.md": "# B\n\n## The `x` of it's y\n\n## Two\n\n## Two\n" }),
    );

  test.each([
    ["[a](b.md)"],
    ["[a](b.md#the-x-of-its-y)"],
    ["[a](b.md#two-1)"],
    ["[a](../src/c.ts)"],
    ["[a](../src/c.ts#L2)"],
    ["[a](../src)"],
    ["# Here\n\n[a](#here)"],
    ["[a](https://example.org/none)"],
    ["`[a](none.md)`"],
    ["```\n[a](none.md)\n```"],
  ])("takes %j", (text) => expect(broken(text)).toEqual([]));

  test.each([
    ["[a](none.md)", "none.md: no such file"],
    ["[a](b.md#three)", "b.md#three: no such anchor"],
    ["[a](b.md#two-2)", "b.md#two-2: no such anchor"],
    ["[a](#here)", "#here: no such anchor"],
    ["[a](../src/c.ts#L9)", "../src/c.ts#L9: no such anchor"],
    ["[`a`](../src/d.ts)", "../src/d.ts: no such file"],
    ["![a](a.svg)", "a.svg: no such file"],
    ["[a]: none.md", "none.md: no such file"],
    ['<img src="a.svg">', "a.svg: no such file"],
    ['```mermaid\nflowchart LR\n  click a "none.md"\n```', "none.md: no such file"],
  ])("names the link of %j", (text, fault) => expect(broken(text)).toEqual([`docs/a.md: ${fault}`]));
});

test("listAnchors() does not take a comment in a code block for a heading", () => {
  expect([...listAnchors("# A\n\n```\n# b\n```\n")]).toEqual(["a"]);
});

function pages(markdown: Readonly<Record<string, string>>): Pages {
  const lines = new Map([
    ...Object.keys(markdown).map((file) => [file, 9] as const),
    ["src", 0],
    ["src/c.ts", 3],
  ]);
  return { texts: new Map(Object.entries(markdown)), countLines: (path) => lines.get(path) };
}

function* walk(folder: string): Generator<string> {
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    if (NOT_OURS.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else if (entry.isFile()) yield path;
  }
}

function countLines(path: string): number | undefined {
  const full = join(ROOT, path);
  if (!existsSync(full)) return undefined;
  return statSync(full).isDirectory() ? 0 : readFileSync(full, "utf8").split("\n").length - 1;
}
