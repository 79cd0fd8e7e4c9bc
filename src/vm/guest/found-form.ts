import { parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import type { FoundDomain } from "./find-domain.ts";

/** Form of a domain: as it runs, or as it is defined. */
export type Form = "running" | "defined";

/** Returns the domain in this form, or in the other one if it has only that. */
export function formOf({ definition, guest }: FoundDomain, form: Form): Domain {
  const [first, second] = form === "running" ? [guest, definition] : [definition, guest];
  return parseDomainText(first?.xml ?? second?.xml ?? "");
}
