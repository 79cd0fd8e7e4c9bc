import { SvirtError } from "../errors.ts";
import { pathOf, type XmlNode } from "./node.ts";

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

/** A word of the document for a message: in quotes, on one line, not too long. */
export function quoted(text: string): string {
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return JSON.stringify(shown);
}

function cannotRead(spot: Spot): string {
  const place = spot.place === undefined ? "" : `/${spot.place}`;
  return `Cannot read ${pathOf(spot.node)}${place} in line ${spot.node.line}`;
}
