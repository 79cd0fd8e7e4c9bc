import { describe, expect, test } from "bun:test";
import { elementOf, replaceElement } from "../../src/domain/metadata-element.ts";

const HERP = "http://herp.derp/";
// The documents of libvirt's tests/metadatatest.c, which compares with apostrophes.
const DERP =
  "<derp xmlns:foobar='http://foo.bar/'>\n  <bar>foobar</bar>\n  <foo fooish='blurb'>foofoo</foo>\n" +
  "  <foobar:baz>zomg</foobar:baz>\n</derp>";
const HERP_DERP =
  "<herp:derp xmlns:foobar='http://foo.bar/' xmlns:herp='http://herp.derp/'>\n  <herp:bar>foobar</herp:bar>\n" +
  "  <herp:foo fooish='blurb'>foofoo</herp:foo>\n  <foobar:baz>zomg</foobar:baz>\n</herp:derp>";
const FOO = "<foo>\n  <bar>baz</bar>\n</foo>";
const BLURB_FOO = "<blurb:foo xmlns:blurb='http://herp.derp/'>\n  <blurb:bar>baz</blurb:bar>\n</blurb:foo>";

const set = (metadata: string | undefined, xml: string, key = "herp"): string =>
  (replaceElement(metadata, { uri: HERP, set: { key, xml } }) ?? "").replaceAll('"', "'");

describe("replaceElement()", () => {
  test("puts an element into its namespace, as libvirt does", () => {
    expect(set(undefined, DERP)).toBe(`<metadata>\n    ${HERP_DERP}\n  </metadata>`);
    expect(set("<metadata/>", FOO, "blurb")).toBe(`<metadata>\n    ${BLURB_FOO}\n  </metadata>`);
  });

  test("replaces the element of the namespace under any prefix, and keeps the others", () => {
    const other = "<a:x xmlns:a='http://other/'>1</a:x>";
    const before = `<metadata>\n    ${HERP_DERP}\n    ${other}\n  </metadata>`;
    expect(set(before, FOO, "blurb")).toBe(`<metadata>\n    ${other}\n    ${BLURB_FOO}\n  </metadata>`);
    expect(replaceElement(before, { uri: HERP })).toBe(`<metadata>\n    ${other}\n  </metadata>`);
    expect(replaceElement(before, { uri: "http://none/" })).toBe(before);
  });

  test("removes <metadata> with its last element", () => {
    expect(replaceElement(`<metadata>${HERP_DERP}</metadata>`, { uri: HERP })).toBeUndefined();
    expect(replaceElement(undefined, { uri: HERP })).toBeUndefined();
  });

  test("leaves comments, CDATA and the text between elements as they are", () => {
    const xml = "<x><!-- <y> --><![CDATA[<z>]]>a <b/> c</x>";
    expect(set(undefined, xml)).toContain(
      "<herp:x xmlns:herp='http://herp.derp/'><!-- <y> --><![CDATA[<z>]]>a <herp:b/> c</herp:x>",
    );
  });

  test("writes any namespace as an attribute of one value", () => {
    const uri = `http://x/?a=1&b="<'\n`;
    const changed = replaceElement(undefined, { uri, set: { key: "k", xml: "<x/>" } }) ?? "";
    expect(elementOf(changed, uri)).toBe("<x/>");
    expect(changed.split("\n")).toHaveLength(3);
  });

  // virXMLInjectNamespace() of libvirt
  test.each([
    ["<x/>", "a b", "failed to validate prefix for a new XML namespace"],
    ["<x/>", "a:b", "failed to validate prefix for a new XML namespace"],
    ["<x/>", "", "failed to validate prefix for a new XML namespace"],
    ["<x/>", "xmlns", "failed to validate prefix for a new XML namespace"],
    ["<x xmlns:herp='y'/>", "herp", "failed to create a new XML namespace"],
    ["<x xmlns='y'/>", "herp", "the XML has a namespace of its own"],
    ["<y:x xmlns:y='y'/>", "herp", "the XML has a namespace of its own"],
    ["<x", "herp", "Cannot read the XML"],
    ["<x/><x/>", "herp", "Cannot read the XML"],
    ["</metadata><metadata>", "herp", "Cannot read the XML"],
    ["text", "herp", "Cannot read the XML"],
  ])("refuses %s with the prefix %s", (xml, key, message) => {
    expect(() => set(undefined, xml, key)).toThrow(message);
  });

  test("refuses a namespace that is none", () => {
    for (const uri of ["", "\u0001", "http://www.w3.org/2000/xmlns/"])
      expect(() => replaceElement(undefined, { uri, set: { key: "a", xml: "<x/>" } })).toThrow();
  });
});

describe("elementOf()", () => {
  test.each([
    ["a prefix", HERP_DERP, DERP],
    ["another prefix", BLURB_FOO, FOO],
    ["no prefix", "<b xmlns='http://herp.derp/'><c/></b>", "<b><c/></b>"],
  ])("returns the element without its namespace: %s", (_, stored, shown) => {
    expect(elementOf(`<metadata>\n  ${stored}\n</metadata>`, HERP)).toBe(shown);
  });

  test("keeps a prefix that an attribute needs, and one that <metadata> declares", () => {
    const attribute = `<a:b xmlns:a='${HERP}' a:c='1'/>`;
    expect(elementOf(`<metadata>${attribute}</metadata>`, HERP)).toBe(`<b xmlns:a='${HERP}' a:c='1'/>`);
    expect(elementOf(`<metadata xmlns:a='${HERP}' xmlns:o='x'><a:b><o:c/></a:b></metadata>`, HERP)).toBe(
      "<b xmlns:o='x'><o:c/></b>",
    );
  });

  test("returns nothing of another namespace, or of an element deeper in", () => {
    expect(elementOf(`<metadata>${HERP_DERP}</metadata>`, "http://foo.bar/")).toBeUndefined();
    expect(elementOf("<metadata/>", HERP)).toBeUndefined();
  });
});
