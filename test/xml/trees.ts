import fc from "fast-check";
import type { Draft } from "../../src/xml/draft.ts";
import type { XmlNode } from "../../src/xml/node.ts";

/** Names, including those that objects inherit. */
const anyName = fc.oneof(
  fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,8}$/),
  fc.constantFrom("constructor", "toString", "é", "valueOf"),
);

/** Text of any characters that XML permits. */
const anyText = fc
  .string({ unit: "grapheme", maxLength: 12 })
  .map((text) => text.replaceAll(/[^\t\n\r -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "?"));

/** Generates an element for the formatter: children or text, never both, with this many levels. */
export function anyDraft(levels = 3, names = anyName, texts = anyText): fc.Arbitrary<Draft> {
  const children: fc.Arbitrary<Draft[]> =
    levels === 0 ? fc.constant([]) : fc.array(anyDraft(levels - 1, names, texts), { maxLength: 3 });
  return fc
    .record({
      tag: names,
      attributes: fc.array(fc.tuple(names, texts), { maxLength: 3 }),
      children,
      text: fc.option(texts, { nil: undefined }),
    })
    .map((made) => ({
      ...made,
      attributes: new Map(made.attributes),
      text: made.children.length > 0 ? undefined : made.text,
    }));
}

/** Element without the fields that only a parsed or only a written one has. */
export interface PlainElement {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly PlainElement[];
  readonly text: string;
}

/** Converts a written element. */
export function plainDraft(draft: Draft): PlainElement {
  const children = draft.children.flatMap((child) => (typeof child === "string" ? [] : [plainDraft(child)]));
  return {
    tag: draft.tag,
    attributes: Object.fromEntries(draft.attributes),
    children,
    text: draft.text ?? "",
  };
}

/** Converts a parsed element, without the white space between children. */
export function plainNode(node: XmlNode): PlainElement {
  const children = node.children.map(plainNode);
  const text = children.length > 0 ? node.text.trim() : node.text;
  return { tag: node.tag, attributes: Object.fromEntries(node.attributes), children, text };
}
