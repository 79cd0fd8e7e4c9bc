import type { InspectedDomain, LiveFacts } from "./document-forms.ts";
import type { Domain } from "./domain.ts";

export type { InspectedDomain, LiveFacts } from "./document-forms.ts";

// The forms of all elements are not read in by import: a start of a domain that was kept as it was read needs none, and
// making them takes a tenth of it (docs/measurements.md).

/**
 * A `<domain>` document. `spareUuid` is for one that has no UUID, as a new definition may; without it such a one is
 * refused. Throws "xml" and "unsupported", with the place.
 */
export function parseDomain(bytes: Uint8Array, spareUuid?: string): Domain {
  const { readDomain }: typeof import("./document-forms.ts") = require("./document-forms.ts");
  return readDomain(bytes, spareUuid);
}

/** The same past all that is refused. Throws "xml" for what is no XML, or no `<domain>`. */
export function inspectDomain(bytes: Uint8Array, spareUuid?: string): InspectedDomain {
  const { inspectDomain: inspect }: typeof import("./document-forms.ts") = require("./document-forms.ts");
  return inspect(bytes, spareUuid);
}

/** The same for the text that a definition or a record keeps. */
export function parseDomainText(xml: string): Domain {
  return parseDomain(new TextEncoder().encode(xml));
}

/** The domain's XML in libvirt's layout; with the facts of a run, as `virsh dumpxml` shows a running guest. */
export function formatDomain(value: Domain, live?: LiveFacts): string {
  const { writeDomain }: typeof import("./document-forms.ts") = require("./document-forms.ts");
  return writeDomain(value, live);
}
