import { parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { readKept } from "../../resolve/completed-definition.ts";
import type { Instance } from "../../state/instance.ts";

/** Form of a domain: as it runs, or as it is defined. */
export type Form = "running" | "defined";

/** XML of a form, and its domain. */
interface StoredForm {
  readonly uuid: string;
  readonly xml: string;
}

/** The forms of a domain: existing forms, or forms selected by a change. */
type Forms = Readonly<Record<"definition" | "guest", StoredForm | undefined>>;

/**
 * Returns the domain in this form, or in the other form if there is no other. Parses its XML only if the
 * completed domain of that XML is not stored.
 */
export function formOf(instance: Instance, forms: Forms, form: Form): Domain {
  const stored = storedForm(forms, form);
  return (stored && readKept(instance, stored)) ?? parseDomainText(stored?.xml ?? "");
}

/** Returns the stored XML of this form, or of the other form if there is no other. */
export function xmlOf(forms: Forms, form: Form): string | undefined {
  return storedForm(forms, form)?.xml;
}

function storedForm({ definition, guest }: Forms, form: Form): StoredForm | undefined {
  return form === "running" ? (guest ?? definition) : (definition ?? guest);
}
