import { parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";

/** Form of a domain: as it runs, or as it is defined. */
export type Form = "running" | "defined";

/** The forms of a domain: existing forms, or forms selected by a change. */
type Forms = Readonly<Record<"definition" | "guest", { readonly xml: string } | undefined>>;

/** Returns the domain in this form, or in the other form if there is no other. */
export function formOf(forms: Forms, form: Form): Domain {
  return parseDomainText(xmlOf(forms, form) ?? "");
}

/** Returns the stored XML of this form, or of the other form if there is no other. */
export function xmlOf({ definition, guest }: Forms, form: Form): string | undefined {
  const [first, second] = form === "running" ? [guest, definition] : [definition, guest];
  return first?.xml ?? second?.xml;
}
