import { XMLParser } from "fast-xml-parser";
import { MOST_DEPTH } from "./limits.ts";
import { lengthen, type Shortened, shortenTexts } from "./long-texts.ts";

/** Piece of a document as fast-xml-parser returns it. References are not resolved. */
export type Piece =
  | {
      readonly is: "element";
      readonly tag: string;
      readonly attributes: readonly (readonly [name: string, raw: string])[];
      readonly content: readonly Piece[];
      /** Offsets in the text, the second after the element's last ">". */
      readonly from: number;
      readonly to: number;
    }
  | { readonly is: "text" | "cdata"; readonly raw: string };

/** Precedes each name in the parser's tree. Without it the parser refuses names such as `constructor`. */
const MARK = "<";
const TEXT = "#text";
const CDATA = "#cdata";
const ATTRIBUTES = ":@";
const PLACE = XMLParser.getMetaDataSymbol() as symbol;

const parser = new XMLParser({
  preserveOrder: true,
  captureMetaData: true,
  ignoreAttributes: false,
  attributeNamePrefix: MARK,
  // The parser calls it twice for the tag of an empty element.
  transformTagName: (tag) => (tag.startsWith(MARK) ? tag : MARK + tag),
  textNodeName: TEXT,
  cdataPropName: CDATA,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  // parse-document.ts resolves references: the parser keeps or drops malformed ones.
  processEntities: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  maxNestedTags: MOST_DEPTH,
  jPath: false,
});

/** Reads a text accepted by guardText(). Returns the root element and the blanks around it. */
export function readPieces(text: string): readonly Piece[] {
  const shortened = shortenTexts(text);
  return toPieces(parser.parse(shortened.text), shortened);
}

/**
 * Item of the parser's tree. Its first key is TEXT, CDATA or the name of an element; ATTRIBUTES and PLACE may
 * follow.
 */
type Item = Readonly<Record<string | symbol, unknown>>;

function toPieces(items: unknown, shortened: Shortened): readonly Piece[] {
  return (items as readonly Item[]).map((item) => toPiece(item, shortened));
}

function toPiece(item: Item, shortened: Shortened): Piece {
  const [name = ""] = Object.keys(item);
  const content = item[name];
  if (name === TEXT) return { is: "text", raw: lengthen(String(content), shortened) };
  if (name === CDATA)
    return { is: "cdata", raw: lengthen(String((content as readonly Item[])[0]?.[TEXT]), shortened) };
  const { startIndex, endIndex } = item[PLACE] as { readonly startIndex: number; readonly endIndex: number };
  const attributes = Object.entries((item[ATTRIBUTES] ?? {}) as Readonly<Record<string, string>>);
  return {
    is: "element",
    tag: name.slice(MARK.length),
    attributes: attributes.map(([attribute, raw]) => [attribute.slice(MARK.length), raw]),
    content: toPieces(content, shortened),
    from: shortened.wholeOffset(startIndex),
    to: shortened.wholeOffset(endIndex),
  };
}
