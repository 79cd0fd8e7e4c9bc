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
  return new SvirtError(...refusalOf("xml", { spot, problem, remedy }));
}

/** The refusal of an element that lacks a part. */
export class Missing extends SvirtError {}

/** An element without a part that it must have. Kind "xml". */
export function missing(spot: Spot, problem: string): Missing {
  return new Missing(...refusalOf("xml", { spot, problem, remedy: `Write ${spot.place} there.` }));
}

/** Content that we know and do not do. Kind "unsupported". */
export function notSupported(spot: Spot, problem: string, remedy: string): SvirtError {
  return new SvirtError(...refusalOf("unsupported", { spot, problem, remedy }));
}

/** Content that no declaration names. Kind "xml". */
export function notKnown(spot: Spot): SvirtError {
  return notUnderstood(
    spot,
    "svirt does not know it",
    "Remove it, or correct its name: what svirt does not know could open a file that nobody labelled.",
  );
}

/** A remedy that says "leave it out", with the name of the refused attribute or element for "it". */
export function withName(remedy: string, place: string): string {
  return remedy.replaceAll(/\b([Ll])eave it out\b/g, (_, letter: string) => `${letter}eave ${outOf(place)}`);
}

/** `rawio out of <disk>`, `<reservations> out of <source>`, `this <redirdev> out`, `<perf> out` */
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

/** A word of the document for a message: in quotes, on one line, not too long, and without what a terminal acts on. */
export function quoted(text: string): string {
  return JSON.stringify(shortened(text, 80)).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, escaped);
}

/** A text cut to so many characters, with a sign that it was. */
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
  return [message, { kind, remedy: withName(remedy, place), place }] as const;
}

function escaped(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`;
}
