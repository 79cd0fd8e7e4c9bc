import { SvirtError } from "../errors.ts";
import { pathOf, type XmlNode } from "./node.ts";

/** The most characters of one name in a message. */
const MOST_SHOWN = 64;

/** Somewhere in a document: an element, or with `place` an attribute (`@name`) or a child (`name`) of it. */
export interface Spot {
  readonly node: XmlNode;
  readonly place?: string;
}

/** A place in a document's text, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Text that does not follow XML's grammar or our limits. Kind "xml". */
export function notXml(at: Position, problem: string, cause?: unknown): SvirtError {
  return new SvirtError(`Cannot read the XML in line ${at.line}, column ${at.column}: ${problem}`, {
    kind: "xml",
    remedy: "Correct the document there.",
    cause,
  });
}

/** Content that means nothing to us or contradicts itself. Kind "xml". */
export function notUnderstood(spot: Spot, problem: string, remedy: string): SvirtError {
  return new SvirtError(`${cannotRead(spot)}: ${problem}`, { kind: "xml", remedy });
}

/** Content that we know and do not do. Kind "unsupported". */
export function notSupported(spot: Spot, problem: string, remedy: string): SvirtError {
  return new SvirtError(`${cannotRead(spot)}: ${problem}`, { kind: "unsupported", remedy });
}

/** Content that no declaration names. Kind "xml". */
export function notKnown(spot: Spot): SvirtError {
  return notUnderstood(
    spot,
    "svirt does not know it",
    "Remove it, or correct its name: what svirt does not know could open a file that nobody labelled.",
  );
}

/** A word of the document for a message: in quotes, on one line, not too long, and without what a terminal acts on. */
export function quoted(text: string): string {
  return JSON.stringify(shortened(text, 80)).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, escaped);
}

/** A text cut to so many characters, with a sign that it was. */
export function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

function cannotRead(spot: Spot): string {
  const place = spot.place === undefined ? "" : `/${shortened(spot.place, MOST_SHOWN)}`;
  return `Cannot read ${pathOf(spot.node)}${place} in line ${spot.node.line}`;
}

function escaped(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`;
}
