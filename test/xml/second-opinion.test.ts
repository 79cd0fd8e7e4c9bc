import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { SvirtError } from "../../src/errors.ts";
import { formatDocument } from "../../src/xml/format-document.ts";
import { parseDocument } from "../../src/xml/parse-document.ts";
import { corpus, readCase } from "../domain/corpus.ts";
import { anyDraft, type PlainElement, plainNode } from "./trees.ts";

const second = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: "",
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  htmlEntities: true,
});

/** The document as another reader sees it. */
function readOtherwise(text: string): PlainElement {
  const [root] = second.parse(text).filter((item: Readonly<Record<string, unknown>>) => !("#text" in item));
  return plain(root);
}

function plain(item: Readonly<Record<string, unknown>>): PlainElement {
  const [tag = ""] = Object.keys(item).filter((key) => key !== ":@");
  const inside = item[tag] as readonly Readonly<Record<string, unknown>>[];
  const children = inside.filter((child) => !("#text" in child)).map(plain);
  const text = inside.map((child) => ("#text" in child ? String(child["#text"]) : "")).join("");
  const attributes = (item[":@"] ?? {}) as Readonly<Record<string, string>>;
  return { tag, attributes, children, text: children.length > 0 ? text.trim() : text };
}

describe("fast-xml-parser reads the same as parseDocument() in", () => {
  test("any document that svirt writes", () => {
    // The other reader refuses or loses names that objects inherit, and texts of white space alone.
    const names = fc.stringMatching(/^[a-z]{1,3}[0-9]$/);
    const texts = fc
      .string({ unit: fc.constantFrom(..."ab<>&'\"é€ "), minLength: 1, maxLength: 6 })
      .map((text) => `x${text}x`);
    fc.assert(
      fc.property(anyDraft(3, names, texts), (draft) => {
        const text = formatDocument(draft);
        expect(readOtherwise(text)).toEqual(plainNode(parseDocument(new TextEncoder().encode(text))));
      }),
    );
  });

  test.each(corpus)("%s", async (name) => {
    const text = (await readCase(name)).replace(/ {2}<metadata>[\s\S]*<\/metadata>\n/, "");
    expect(readOtherwise(text)).toEqual(plainNode(parseDocument(new TextEncoder().encode(text))));
  });
});

test("what parseDocument() takes, XMLValidator takes too", () => {
  // Pieces of markup in any order: mostly broken, sometimes not.
  const pieces = [
    "<a>",
    "</a>",
    "<b/>",
    "<a c='1'>",
    "<a c=1>",
    "&amp;",
    "&",
    "<!-- d -->",
    "<!--",
    "]]>",
    "x",
    "<",
    ">",
    " ",
  ];
  let taken = 0;
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 8 }), (chosen) => {
      const text = `<r>${chosen.join("")}</r>`;
      if (!isTaken(text)) return;
      taken += 1;
      expect(XMLValidator.validate(text)).toBe(true);
    }),
    { numRuns: 3000 },
  );
  expect(taken).toBeGreaterThan(100);
});

function isTaken(text: string): boolean {
  try {
    parseDocument(new TextEncoder().encode(text));
    return true;
  } catch (thrown) {
    if (thrown instanceof SvirtError) return false;
    throw thrown;
  }
}
