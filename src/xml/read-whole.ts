import { throwErrors } from "../errors.ts";
import type { ElementForm } from "./declaration.ts";
import { inDocumentOrder } from "./document-order.ts";
import { Faults, readWith } from "./faults.ts";
import type { XmlNode } from "./node.ts";

/**
 * Returns the value of a document's root. Throws "xml", "unsupported", with all refusals in the order of the
 * document.
 */
export function readWhole<T>(form: ElementForm<T>, root: XmlNode): T {
  const faults = new Faults();
  const value = readWith(faults, () => form.parse(root, faults));
  throwErrors(inDocumentOrder(faults.errors, root));
  if (value === undefined) throw new Error("a document is neither read nor refused");
  return value;
}
