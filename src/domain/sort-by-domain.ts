import type { SvirtError } from "../errors.ts";
import { inDocumentOrder } from "../xml/document-order.ts";
import { parseDocument } from "../xml/parse-document.ts";
import { formatDomain } from "./document.ts";
import type { Domain } from "./domain.ts";

/** Returns the errors of a domain's places in the order of its XML, without duplicates. */
export function sortByDomain(domain: Domain, errors: readonly SvirtError[]): readonly SvirtError[] {
  return inDocumentOrder(errors, parseDocument(new TextEncoder().encode(formatDomain(domain))));
}
