import { keepLast, LastTexts } from "../xml/keep-last.ts";
import type { InspectedDomain, LiveFacts } from "./document-forms.ts";
import type { Domain } from "./domain.ts";

export type { InspectedDomain, LiveFacts } from "./document-forms.ts";

// The forms of all elements are loaded on first use: a start of a domain that is stored as JSON needs none.
// Building them takes a tenth of a start (docs/measurements.md).

/**
 * Reads a `<domain>` document. `spareUuid` becomes the UUID of a domain without a UUID, such as a new
 * definition. Without `spareUuid`, such a domain is refused. Throws "xml" and "unsupported", with the place.
 */
export function parseDomain(bytes: Uint8Array, spareUuid?: string): Domain {
  const { readDomain }: typeof import("./document-forms.ts") = require("./document-forms.ts");
  return readDomain(bytes, spareUuid);
}

/**
 * Reads a document and collects its refusals. Throws "xml" if the document is not XML or not a `<domain>`.
 */
export function inspectDomain(bytes: Uint8Array, spareUuid?: string): InspectedDomain {
  const { inspectDomain: inspect }: typeof import("./document-forms.ts") = require("./document-forms.ts");
  return inspect(bytes, spareUuid);
}

/** Texts that are kept: of a running guest and of its definition, before and after a change. */
const MOST_KEPT = 4;

/** Characters of the longest text that is kept: a client's connection reads any number of domains. */
const LONGEST_KEPT = 65_536;

const parseKept = keepLast(readText, MOST_KEPT);

/** Place where the domain of a text is kept beyond this process. */
interface DomainPlace {
  /** Returns undefined for a place without it. */
  read(): Domain | undefined;
  write(domain: Domain): void;
}

const places = new LastTexts<DomainPlace>(MOST_KEPT);

/** Has parseDomainText() read the domain of a text from a place, and write it there if it is missing. */
export function keepDomainAt(xml: string, place: DomainPlace): void {
  places.set(xml, place);
}

/**
 * Reads the XML text of a definition or a record, as parseDomain() does. A command reads the same text up to
 * ten times, so the domains of the last texts are kept.
 */
export function parseDomainText(xml: string): Domain {
  return xml.length > LONGEST_KEPT ? parseText(xml) : parseKept(xml);
}

function readText(xml: string): Domain {
  const place = places.get(xml);
  const kept = place?.read();
  if (kept !== undefined) return kept;
  const domain = parseText(xml);
  place?.write(domain);
  return domain;
}

function parseText(xml: string): Domain {
  return parseDomain(new TextEncoder().encode(xml));
}

/**
 * Returns the domain's XML in libvirt's layout; with live facts, as `virsh dumpxml` shows a running guest.
 */
export function formatDomain(value: Domain, live?: LiveFacts): string {
  const { writeDomain }: typeof import("./document-forms.ts") = require("./document-forms.ts");
  return writeDomain(value, live);
}
