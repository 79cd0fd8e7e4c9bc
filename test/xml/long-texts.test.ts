import { heapStats } from "bun:jsc";
import { describe, expect, test } from "bun:test";
import { guardText } from "../../src/xml/guard/guard-text.ts";
import { lengthen, shortenTexts } from "../../src/xml/long-texts.ts";
import type { XmlNode } from "../../src/xml/node.ts";
import { parseDocument } from "../../src/xml/parse-document.ts";

const LONG = "long text ".repeat(200);
const parse = (text: string): XmlNode => parseDocument(new TextEncoder().encode(text));

describe("a document with long texts", () => {
  const text = `<?xml version='1.0'?><!-- ${LONG}> --><a b='>${LONG}' c="'>">${LONG}&amp;<d e='>'/>${LONG}<![CDATA[<x>${LONG}]]><f>${LONG}</f>${LONG}</a>`;

  test("is read with all of its texts and values, at their places", () => {
    const root = parse(text);
    expect([...root.attributes]).toEqual([
      ["b", `>${LONG}`],
      ["c", "'>"],
    ]);
    expect(root.text).toBe(`${LONG}&${LONG}<x>${LONG}${LONG}`);
    expect(root.children.map(({ source, text: inner }) => [source, inner])).toEqual([
      ["<d e='>'/>", ""],
      [`<f>${LONG}</f>`, LONG],
    ]);
    expect(root.source).toBe(text.slice(text.indexOf("<a")));
  });

  test("is short for the parser, with the same tags", () => {
    const shortened = shortenTexts(text);
    expect(guardText(text)).toHaveLength(3);
    expect(shortened.text.split(LONG)).toHaveLength(3);
    expect(lengthen(shortened.text, shortened)).toBe(text);
  });

  test("is not taken for another one, whatever its values look like", () => {
    for (const value of [`'>'`, `">'"`, `'/>"'`]) {
      const root = parse(`<a b=${value} c='1'>${LONG}<e b=${value}/>${LONG}</a>`);
      expect([root.text, root.children.length, root.attributes.size]).toEqual([LONG + LONG, 1, 2]);
    }
  });
});

/**
 * Returns the bytes in use by objects and texts that are still there, or that no collection has removed since
 * `before`.
 */
function usedBytes(): number {
  const { heapSize, extraMemorySize } = heapStats();
  return heapSize + extraMemorySize;
}

test.each([
  ["letters", "a".repeat(1_000_000), 6],
  ["references", "&amp;".repeat(200_000), 40],
])("1 MiB of %s needs little more memory than the text", (_, content, times) => {
  const bytes = new TextEncoder().encode(`<a>${content}</a>`);
  parse("<a/>");
  Bun.gc(true);
  const before = usedBytes();
  const root = parse(new TextDecoder().decode(bytes));
  // Nothing is collected in between on purpose: a process keeps the memory of garbage.
  expect(usedBytes() - before).toBeLessThan(times * bytes.length);
  expect(root.text).toHaveLength(content.replaceAll("&amp;", "&").length);
});
