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

/** Reads the XML text of a definition or a record, as parseDomain() does. */
export function parseDomainText(xml: string): Domain {
  return parseDomain(new TextEncoder().encode(xml));
}

/**
 * Returns the domain's XML in libvirt's layout; with live facts, as `virsh dumpxml` shows a running guest.
 */
export function formatDomain(value: Domain, live?: LiveFacts): string {
  const { writeDomain }: typeof import("./document-forms.ts") = require("./document-forms.ts");
  return writeDomain(value, live);
}
