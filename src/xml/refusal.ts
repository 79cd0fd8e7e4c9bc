import { SvirtError } from "../errors.ts";
import { pathOf, type XmlNode } from "./node.ts";

/** Maximum characters of a name in a message. */
const MOST_SHOWN = 64;

/** Place in a document: an element, or with `place` an attribute (`@name`) or a child (`name`) of it. */
export interface Spot {
  readonly node: XmlNode;
  readonly place?: string;
}

/** Position in a document's text, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Returns the error for text violating XML's grammar or svirt's limits. Kind "xml". */
export function notXml(at: Position, problem: string, cause?: unknown): SvirtError {
  return new SvirtError(`Cannot read the XML in line ${at.line}, column ${at.column}: ${problem}`, {
    kind: "xml",
    libvirt: "XML_DETAIL",
    remedy: "Correct the document there.",
    cause,
  });
}

/** Returns the error for content without a meaning for svirt, or with a contradiction. Kind "xml". */
export function notUnderstood(spot: Spot, problem: string, remedy: string): SvirtError {
  return new SvirtError(...refusalOf("xml", { spot, problem, remedy }));
}

/** Refusal of an element with a missing part. */
export class Missing extends SvirtError {}

/** Returns the error for an element without a mandatory part. Kind "xml". */
export function missing(spot: Spot, problem: string): Missing {
  return new Missing(...refusalOf("xml", { spot, problem, remedy: `Write ${spot.place} there.` }));
}

/** Returns the error for known content not implemented by svirt. Kind "unsupported". */
export function notSupported(spot: Spot, problem: string, remedy: string): SvirtError {
  return new SvirtError(...refusalOf("unsupported", { spot, problem, remedy }));
}

/** Returns the error for undeclared content. Kind "xml". */
export function notKnown(spot: Spot): SvirtError {
  return notUnderstood(
    spot,
    "svirt does not know it",
    "Remove it, or correct its name: an unknown element could name a file that svirt would not label.",
  );
}

/** Returns the remedy with the name of the refused attribute or element instead of "it" in "leave it out". */
export function nameInRemedy(remedy: string, place: string): string {
  return remedy.replaceAll(/\b([Ll])eave it out\b/g, (_, letter: string) => `${letter}eave ${outOf(place)}`);
}

/** Returns `rawio out of <disk>`, `<reservations> out of <source>`, `this <redirdev> out`, `<perf> out`. */
function outOf(place: string): string {
  const [name = "", parent = "", within] = place.split("/").map(withoutNumber).reverse();
  if (name.startsWith("@")) return `${name.slice(1)} out of <${parent}>`;
  if (name === "text()") return `the text out of <${parent}>`;
  if (parent === "devices") return `this <${name}> out`;
  return within === undefined || within === "" ? `<${name}> out` : `<${name}> out of <${parent}>`;
}

function withoutNumber(step: string): string {
  return step.replace(/\[\d+\]$/, "");
}

/**
 * Returns text of the document for a message: quoted, on one line, shortened, and without control characters
 * for a terminal.
 */
export function quoted(text: string): string {
  return JSON.stringify(shortened(text, 80)).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, escaped);
}

/** Returns a text cut to `most` characters, with a mark if it was cut. */
export function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

interface Refused {
  readonly spot: Spot;
  readonly problem: string;
  readonly remedy: string;
}

function refusalOf(kind: "xml" | "unsupported", { problem, remedy, spot: { node, place: inside } }: Refused) {
  const path = pathOf(node);
  const place = inside === undefined ? path : `${path}/${shortened(inside, MOST_SHOWN)}`;
  const message = `Cannot read ${place} in line ${node.line}: ${problem}`;
  return [message, { kind, remedy: nameInRemedy(remedy, place), place }] as const;
}

function escaped(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`;
}
