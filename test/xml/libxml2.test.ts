import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { SvirtError } from "../../src/errors.ts";
import { parseDocument } from "../../src/xml/parse-document.ts";
import { bytesOf, corpus, readCase } from "../domain/corpus.ts";
import { runsOf } from "../sample.ts";
import { canonical, withTextsFirst } from "./canonical.ts";
import { changedText } from "./changed-text.ts";

// Compares with libxml2, the parser of libvirt. Two programs read a document differently if only one of them
// accepts it.

const XMLLINT = Bun.which("xmllint");
const folder = mkdtempSync(join(tmpdir(), "svirt-libxml2-"));
afterAll(() => rmSync(folder, { recursive: true }), 60_000);

const ALL = runsOf(4000);
const XML = "http://www.w3.org/XML/1998/namespace";
const XMLNS = "http://www.w3.org/2000/xmlns/";

/** Pieces of markup in any order: mostly broken, sometimes valid. */
const PIECES = [
  ...["<a>", "</a>", "<b/>", "<a c='1'>", "<a c=1>", "&amp;", "&#9;", "&#0;", "&", "]]>", "x", "<", ">", " "],
  ...[
    "<!-- d -->",
    "<!--",
    "-->",
    "<!-- a--b -->",
    "<![CDATA[<]]>",
    "<?x y?>",
    "<?x<y?>",
    "<?x?>",
    "<??>",
    "<?p:q?>",
    "<?xml?>",
  ],
  ...["<p:a/>", "<p:a>", "</p:a>", "<xmlns:a/>", "<xml:a/>", "<p:1/>", "<p:/>", "<:p/>", "<p:a:b/>", "<1/>"],
];
const NAMES = [
  "a",
  "b",
  "c",
  "d",
  "xmlns:p",
  "xmlns:q",
  "p:a",
  "q:a",
  "p:b",
  "xml:lang",
  "xmlns",
  "xmlns:p",
  "xmlns:q",
  "xmlns:xml",
  "xmlns:xmlns",
  ":a",
  "p:1",
  "r:a",
];
const VALUES = ["", "1", "urn:n", "urn:n", "urn:m", "urn:n", "urn:m", XML, XMLNS, "urn:&amp;", "<"];

const pieces = fc
  .array(fc.constantFrom(...PIECES), { maxLength: 4 })
  .map((chosen) => `<r xmlns:p='urn:n'>${chosen.join("")}</r>`);
const attributes = fc
  .array(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...VALUES)), { maxLength: 4 })
  .map((chosen) => chosen.map(([name, value]) => ` ${name}='${value}'`).join(""));
const tags = fc
  .tuple(fc.constantFrom("e", "p:e", "q:e", "xml:e"), attributes, attributes)
  .map(([tag, outer, inner]) => `<r${outer}><${tag}${inner}/></r>`);

test.skipIf(XMLLINT === null)(
  "parseDocument() and libxml2 take the same documents (xmllint is needed)",
  () => {
    const documents = [...new Set(fc.sample(fc.oneof(pieces, tags), ALL))].filter(
      (text) => !TWICE_XMLNS_XML.test(text),
    );
    const refused = refusedByLibxml2(documents);
    const differing = documents.filter((text, at) => isTaken(text) === refused.has(at));
    expect(differing).toEqual([]);
    const taken = documents.filter(isTaken).length;
    expect(taken).toBeGreaterThan(ALL / 40);
    expect(documents.length - taken).toBeGreaterThan(ALL / 4);
  },
  60_000,
);

test.skipIf(XMLLINT === null)(
  "parseDocument() and libxml2 read the same in changed domains (xmllint is needed)",
  async () => {
    const texts = changedText(await Promise.all(corpus.map(readCase)));
    // Without `tags`: libxml2 writes no canonical form of a document with a relative namespace.
    const documents = [...new Set(fc.sample(fc.oneof(texts, pieces), 3 * ALL))].filter(isTaken);
    expect(documents.length).toBeGreaterThan(ALL / 20);
    const differing = canonicalByLibxml2(documents).flatMap((theirs, at) => {
      const text = documents[at] ?? "";
      const ours = canonical(parseDocument(bytesOf(text)));
      return ours === theirs ? [] : [{ text, ours, theirs }];
    });
    expect(differing).toEqual([]);
  },
  60_000,
);

/**
 * Matches a tag with two xmlns:xml, which libxml2 accepts: it removes them before it looks for duplicate
 * attributes. XML 1.0 and expat refuse it, as svirt does. xmlParseStartTag2() of libxml2, "Unique Att Spec"
 * of XML 1.0
 */
const TWICE_XMLNS_XML = /<[^>]*\bxmlns:xml='[^>]*\bxmlns:xml='/;

test("parseDocument() refuses a tag with two xmlns:xml, unlike libxml2", () => {
  const text = `<r xmlns:xml='${XML}' xmlns:xml='${XML}'/>`;
  expect(TWICE_XMLNS_XML.test(text)).toBe(true);
  expect(isTaken(`<r xmlns:xml='${XML}'/>`)).toBe(true);
  expect(isTaken(text)).toBe(false);
});

/**
 * Returns the indices of the documents that libxml2 reports an error for. It reads on after faults of
 * namespaces.
 */
function refusedByLibxml2(documents: readonly string[]): ReadonlySet<number> {
  for (const [at, text] of documents.entries()) writeFileSync(join(folder, `${at}.xml`), text);
  const files = documents.map((_, at) => `${at}.xml`);
  const { stderr } = Bun.spawnSync([XMLLINT ?? "", "--noout", "--nonet", ...files], { cwd: folder });
  return new Set(
    [...stderr.toString().matchAll(/^(\d+)\.xml:\d+: (?!namespace warning)/gm)].map(([, at]) => Number(at)),
  );
}

/** Document between two others in the output. */
const SEPARATOR = "<separator></separator>";

/** Returns the documents in libxml2's canonical form, without comments and processing instructions. */
function canonicalByLibxml2(documents: readonly string[]): readonly string[] {
  writeFileSync(join(folder, "separator.xml"), SEPARATOR);
  for (const [at, text] of documents.entries()) writeFileSync(join(folder, `${at}.xml`), text);
  const files = documents.flatMap((_, at) => [`${at}.xml`, "separator.xml"]);
  const { stdout } = Bun.spawnSync([XMLLINT ?? "", "--c14n", "--nonet", ...files], { cwd: folder });
  const written = stdout.toString().split(SEPARATOR).slice(0, -1);
  expect(written.length).toBe(documents.length);
  // Texts and values escape "<", so these matches are only comments and instructions.
  return written.map((text) => withTextsFirst(text.replaceAll(/<!--.*?-->|<\?.*?\?>/gs, "")));
}

function isTaken(text: string): boolean {
  try {
    parseDocument(bytesOf(text));
    return true;
  } catch (thrown) {
    if (thrown instanceof SvirtError) return false;
    throw thrown;
  }
}
