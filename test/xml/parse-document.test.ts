import { describe, expect, test } from "bun:test";
import { Glob } from "bun";
import { parseDomain } from "../../src/domain/document.ts";
import { SvirtError } from "../../src/errors.ts";
import { readPieces } from "../../src/xml/fast-xml.ts";
import { guardText } from "../../src/xml/guard/guard-text.ts";
import { pathOf, type XmlNode } from "../../src/xml/node.ts";
import { buildTree, parseDocument } from "../../src/xml/parse-document.ts";

const BAD = new URL("../data/xml-bad/", import.meta.url).pathname;
const parse = (text: string): XmlNode => parseDocument(new TextEncoder().encode(text));
const nth = (node: XmlNode, ...path: readonly number[]): XmlNode => {
  const [first, ...rest] = path;
  const found = first === undefined ? node : node.children[first];
  if (found === undefined) throw new Error("there is no such child");
  return first === undefined ? found : nth(found, ...rest);
};

describe("parseDocument()", () => {
  test("resolves references in texts and attributes, and takes CDATA as it stands", () => {
    const node = parse(`<a b='&lt;&gt;&amp;&quot;&apos;&#65;&#x42;'>x&#x20AC;<![CDATA[<&amp;]]>&#10;</a>`);
    expect(node.attributes.get("b")).toBe(`<>&"'AB`);
    expect(node.text).toBe("x€<&amp;\n");
  });

  test("resolves a reference once", () => {
    expect(parse("<a b='&amp;lt;'>&amp;#65;</a>")).toMatchObject({ text: "&#65;" });
    expect(parse("<a b='&amp;lt;'/>").attributes.get("b")).toBe("&lt;");
  });

  test("reads white space in attributes as blanks, and references to it as what they say", () => {
    expect(parse("<a b='1\t2\n3&#9;4&#10;5'/>").attributes.get("b")).toBe("1 2 3\t4\n5");
  });

  test("reads every line end as a newline", () => {
    expect(parse("<a>1\r\n2\r3\n4&#13;</a>").text).toBe("1\n2\n3\n4\r");
    expect(nth(parse("<a>\r\n\r\n<b/></a>"), 0).line).toBe(3);
  });

  test("passes over comments, processing instructions, the declaration and the byte order mark", () => {
    const text = `\ufeff<?xml version = "1.0" encoding='utf-8' standalone="yes" ?>\n<!--a-->\n<?a b?>\n<c>1<!-- <d> -->2<?e > ?>3</c> <!-- f -->\n<?g?>\n`;
    expect(parse(text)).toMatchObject({ tag: "c", text: "123", line: 4 });
  });

  test("knows names beyond ASCII, namespaces, and blanks where XML allows them", () => {
    const node = parse(`<é:ü xmlns:é="urn:a"\n  é:b = "1"\n><é:c xml:lang='de'/></é:ü\n>`);
    expect([...node.attributes.keys()]).toEqual(["xmlns:é", "é:b"]);
    expect(node.children.map(({ tag }) => tag)).toEqual(["é:c"]);
  });

  test("knows a prefix inside the element that declares it, and not beside it", () => {
    expect(parse("<r><a xmlns:p='q'><b xmlns:p='s'/><p:c p:d=''/></a></r>").tag).toBe("r");
    for (const text of ["<r><a xmlns:p='q'/><p:c/></r>", "<r><a xmlns:p='q'></a><p:c/></r>"])
      expect(() => parse(text)).toThrow("the prefix of a name is not declared");
  });

  test("numbers those of one name in a path, and knows each element's line and source", () => {
    const root = parse("<a>\n  <b/>\n  <c>\n    <d/><d>x</d>\n  </c>\n  <b/>\n</a>");
    expect(pathOf(nth(root, 0))).toBe("/a/b[1]");
    expect(pathOf(nth(root, 1, 1))).toBe("/a/c/d[2]");
    expect(pathOf(nth(root, 2))).toBe("/a/b[2]");
    expect(nth(root, 1, 1)).toMatchObject({ line: 4, source: "<d>x</d>", text: "x" });
    expect(nth(root, 1).source).toBe("<c>\n    <d/><d>x</d>\n  </c>");
    expect(nth(root, 2).line).toBe(6);
  });

  test("takes 256 levels, 64 attributes and 1 MiB", () => {
    expect(parse("<a>".repeat(256) + "</a>".repeat(256)).tag).toBe("a");
    expect(
      parse(`<a ${Array.from({ length: 64 }, (_, index) => `a${index}=''`).join(" ")}/>`).attributes.size,
    ).toBe(64);
    expect(parse(`<a>${" ".repeat((1 << 20) - 7)}</a>`).tag).toBe("a");
    expect(() => parse(`<a>${" ".repeat((1 << 20) - 6)}</a>`)).toThrow("it has more than 1048576 bytes");
  });
});

describe("buildTree()", () => {
  const TEXT = "<a><b c='1'/>x<d></d></a>";

  test("makes the tree of what the parser read, where the guard passed the same elements", () => {
    expect(buildTree(TEXT, guardText(TEXT), readPieces(TEXT))).toEqual(parse(TEXT));
  });

  // Each text stands for a misreading of TEXT by the parser.
  test.each([
    ["another name", "<a><B c='1'/>x<d></d></a>", "<b>, character 4"],
    ["another start", "<a><b c='1'/>x   <d/></a>", "<d>, character 15"],
    ["another end", "<a><b c='12'/><d></d></a>", "<b>, character 4"],
    ["an attribute less", "<a><b c1 ''/>x<d></d></a>", "<b>, character 4"],
    ["an element less", "<a><b c='1'/>x<!----></a>", "<d>, character 15"],
    ["another place", "<a><b c='1'/><d/><d/></a>", "<d>, character 15"],
    ["an element elsewhere", "<a><b c='1'>x<d/></b></a>", "<b>, character 4"],
    ["no element", "", "<a>, character 1"],
    ["two roots", "<a><b c='1'/>x<d></d></a><e/>", undefined],
  ])("refuses %s as a fault in svirt", (_, other, where) => {
    const seen = messageOf(() => buildTree(TEXT, guardText(TEXT), readPieces(other)));
    const place = where === undefined ? "" : ` at ${where}`;
    expect(seen).toBe(`failed;Cannot read the XML: svirt's check and its XML parser disagree${place}\n`);
  });
});

describe("test/data/xml-bad/: parseDomain() refuses", () => {
  test.each([...new Glob("*.xml").scanSync(BAD)].sort())("%s", async (file) => {
    const bytes = await Bun.file(BAD + file).bytes();
    const expected = await Bun.file(BAD + file.replace(/xml$/, "txt")).text();
    const seen = messageOf(() => parseDomain(bytes));
    expect(seen).toBe(expected);
  });
});

/** Formats an outcome as `kind;message`, as in the files beside the cases. */
function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof SvirtError) return `${thrown.kind};${thrown.message}\n`;
    throw thrown;
  }
  return "taken\n";
}
