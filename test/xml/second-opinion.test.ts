import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { Glob } from "bun";
import fc from "fast-check";
import { SvirtError } from "../../src/errors.ts";
import { formatDocument } from "../../src/xml/format-document.ts";
import type { XmlNode } from "../../src/xml/node.ts";
import { parseDocument } from "../../src/xml/parse-document.ts";
import { bytesOf, corpus, readCase } from "../domain/corpus.ts";
import { runsOf, sampleOf, testInTurn } from "../sample.ts";
import { changedText, PIECES } from "./changed-text.ts";
import { hostileDocuments } from "./hostile-documents.ts";
import { scanDocument } from "./scanner/scan-document.ts";
import { anyDraft } from "./trees.ts";

const inTurn = testInTurn(3);

// parseDocument() (guard, fast-xml-parser, tree) and the scanner must return the same elements, values, lines
// and sources, or the same refusal at the same place.

setDefaultTimeout(60_000);

const BAD = new URL("../data/xml-bad/", import.meta.url).pathname;
const DATA = process.env["SVIRT_TEST_DATA"];
const LIBVIRT = `${DATA}/libvirt/`;

/** Refusals of the guard alone, for documents that fast-xml-parser reads differently. */
const OURS_ALONE =
  /: (?:the character U\+(?:1680|FEFF) is not supported in a name|a quote in a processing instruction)/;

/** Returns the outcome of a reading: a tree as lines, or the refusal. */
function outcome(read: (bytes: Uint8Array) => XmlNode, bytes: Uint8Array): string {
  try {
    return listNodes(read(bytes), 0).join("\n");
  } catch (thrown) {
    if (thrown instanceof SvirtError) return `${thrown.kind}: ${thrown.message}`;
    throw thrown;
  }
}

function listNodes(node: XmlNode, depth: number): string[] {
  const { tag, attributes, text, line, source, children } = node;
  if (children.some(({ parent }) => parent !== node)) throw new Error(`a child of ${tag} has another parent`);
  const own = JSON.stringify([depth, tag, [...attributes], text, line, source]);
  return [own, ...children.flatMap((child) => listNodes(child, depth + 1))];
}

/** Expects one outcome of both readers. Returns whether they accept the document. */
function expectAlike(bytes: Uint8Array): boolean {
  const ours = outcome(parseDocument, bytes);
  if (!OURS_ALONE.test(ours)) expect(ours).toBe(outcome(scanDocument, bytes));
  return ours.startsWith("[");
}

describe("parseDocument() and the scanner say the same of", () => {
  test.each(corpus)("%s", async (name) => {
    expect(expectAlike(bytesOf(await readCase(name)))).toBe(true);
  });

  test.each([...new Glob("*.xml").scanSync(BAD)].sort())("xml-bad/%s", async (name) => {
    expectAlike(await Bun.file(BAD + name).bytes());
  });

  test.each(sampleOf(hostileDocuments))("$name", ({ make }) => {
    expectAlike(make());
  });

  test("any document that svirt writes", () => {
    fc.assert(
      fc.property(anyDraft(), (draft) => {
        expect(expectAlike(bytesOf(formatDocument(draft)))).toBe(true);
      }),
      { numRuns: runsOf(500) },
    );
  });

  test("pieces of markup in any order, each kind often", () => {
    let taken = 0;
    const count = runsOf(10_000);
    const pieces = fc.array(fc.constantFrom(...PIECES), { maxLength: 6 });
    const texts = fc.tuple(pieces, fc.boolean()).map(([chosen, isInside]) => {
      const inside = chosen.join("");
      return isInside ? `<r xmlns:p='urn:n'>${inside}</r>` : inside;
    });
    fc.assert(
      fc.property(texts, (text) => {
        if (expectAlike(bytesOf(text))) taken += 1;
      }),
      { numRuns: count },
    );
    expect(taken).toBeGreaterThan(count / 20);
    expect(taken).toBeLessThan(count - count / 20);
  });

  test("domains that were changed in some places", async () => {
    let taken = 0;
    const count = runsOf(3_000);
    const documents = await Promise.all(corpus.map(readCase));
    fc.assert(
      fc.property(changedText(documents), (text) => {
        if (expectAlike(bytesOf(text))) taken += 1;
      }),
      { numRuns: count },
    );
    expect(taken).toBeGreaterThan(count / 30);
    expect(taken).toBeLessThan(count - count / 30);
  });

  const lacks = DATA === undefined ? " (skipped: SVIRT_TEST_DATA is not set)" : "";
  test.skipIf(DATA === undefined)(`libvirt's own documents${lacks}`, async () => {
    let taken = 0;
    const names = sampleOf([...new Glob("**/*.{xml,rng}").scanSync(LIBVIRT)].toSorted());
    for (const name of names) if (expectAlike(await Bun.file(LIBVIRT + name).bytes())) taken += 1;
    expect(taken).toBeGreaterThan(0.7 * names.length);
  });
});

describe("parseDocument() refuses documents that fast-xml-parser reads differently:", () => {
  inTurn("exactly the letters of names that JavaScript calls blanks", () => {
    const codes = Array.from({ length: 0xfffe }, (_, code) => code).filter(
      (code) => code < 0xd800 || code > 0xdfff,
    );
    const named = codes.filter((code) => isTaken(scanDocument, `<a${String.fromCharCode(code)}b/>`, 3));
    const refused = named.filter((code) => !isTaken(parseDocument, `<a${String.fromCharCode(code)}b/>`, 3));
    expect(named.length).toBeGreaterThan(50_000);
    expect(refused).toEqual([0x1680, 0xfeff]);
    expect(named.filter((code) => /\s/.test(String.fromCharCode(code)))).toEqual(refused);
  });

  test.each([
    ["<a><os\ufeff/></a>", "line 1, column 7: the character U+FEFF is not supported in a name"],
    ["<a><\u1680os></\u1680os></a>", "line 1, column 5: the character U+1680 is not supported in a name"],
    ["<a\n b\u1680='1'/>", "line 2, column 3: the character U+1680 is not supported in a name"],
    ["<a><?b\ufeff?></a>", "line 1, column 7: the character U+FEFF is not supported in a name"],
    [
      "<a>\n<?b ' ?><c/><?d ' ?></a>",
      "line 2, column 5: a quote in a processing instruction is not supported",
    ],
    ['<?b c="d"?><a/>', "line 1, column 7: a quote in a processing instruction is not supported"],
  ])("%j", (text, refusal) => {
    expect(outcome(parseDocument, bytesOf(text))).toBe(`xml: Cannot read the XML in ${refusal}`);
    expect(outcome(scanDocument, bytesOf(text))).toStartWith("[");
  });

  test("and takes those characters where they are no names", () => {
    const text = "<a b='\u1680\ufeff'>\ufeff\u1680<!--'\ufeff\"--><![CDATA[\ufeff'\u1680]]>'\"</a>";
    expect(expectAlike(bytesOf(text))).toBe(true);
    expect(parseDocument(bytesOf(text)).text).toBe("\ufeff\u1680\ufeff'\u1680'\"");
  });

  test("but not the names that every object of JavaScript has", () => {
    for (const name of ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf"]) {
      const text = `<${name} ${name}='1' x:${name}='2' xmlns:x='urn:x'><${name}/><x:${name}>3</x:${name}></${name}>`;
      expect(expectAlike(bytesOf(text))).toBe(true);
      const node = parseDocument(bytesOf(text));
      expect([node.tag, node.attributes.get(name), node.children[0]?.tag]).toEqual([name, "1", name]);
    }
  });
});

/** Reports whether a reader accepts a document of one element whose name has this many letters. */
function isTaken(read: (bytes: Uint8Array) => XmlNode, text: string, letters: number): boolean {
  try {
    return read(bytesOf(text)).tag.length === letters;
  } catch {
    return false;
  }
}
