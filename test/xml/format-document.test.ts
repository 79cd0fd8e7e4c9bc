import { expect, test } from "bun:test";
import fc from "fast-check";
import { emptyDraft, textDraft } from "../../src/xml/draft.ts";
import { formatDocument } from "../../src/xml/format-document.ts";
import { parseDocument } from "../../src/xml/parse-document.ts";
import { anyDraft, plainDraft, plainNode } from "./trees.ts";

test("formatDocument() writes libvirt's layout", () => {
  const root = emptyDraft("a");
  root.attributes.set("b", `<>&"'\t\n\r`);
  root.children.push(textDraft("c", `<>&"'\r\n`), emptyDraft("d"), textDraft("e", ""), "<f>\n as it is</f>");
  expect(formatDocument(root)).toBe(
    "<a b='&lt;&gt;&amp;&quot;&apos;&#9;&#10;&#13;'>\n" +
      `  <c>&lt;&gt;&amp;"'&#13;\n</c>\n  <d/>\n  <e></e>\n  <f>\n as it is</f>\n</a>\n`,
  );
});

test("formatDocument() refuses bytes that are not UTF-8, which would become another name", () => {
  const attribute = emptyDraft("a");
  attribute.attributes.set("b", "/srv/x\udcff");
  for (const draft of [attribute, textDraft("a", "/srv/x\udcff")])
    expect(() => formatDocument(draft)).toThrow("Cannot write /srv/x\udcff as XML: it is not UTF-8");
});

test("parseDocument() reads back whatever formatDocument() writes", () => {
  fc.assert(
    fc.property(anyDraft(), (draft) => {
      const text = formatDocument(draft);
      expect(plainNode(parseDocument(new TextEncoder().encode(text)))).toEqual(plainDraft(draft));
    }),
  );
});
