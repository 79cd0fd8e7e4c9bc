import { formatDomain, parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { findDomain } from "../guest/find-domain.ts";
import { formOf } from "../guest/found-form.ts";
import { type Ask, changeDomain } from "./change-domain.ts";
import { decideImpact } from "./impact.ts";

/** The one-line title or the text that describes a domain. */
export type DescriptionField = "title" | "description";

/** Returns the title or description of the running guest or the definition, as `options` selects; undefined if it has none. */
export function readDescription(
  instance: Instance,
  { key, options }: Pick<Ask, "key" | "options">,
  which: DescriptionField,
): string | undefined {
  return formOf(decideImpact(findDomain(instance, key), options), "running")[which];
}

/** Sets the title or description; an empty text removes it. Throws "usage" for a title of several lines, "xml". */
export async function writeDescription(
  instance: Instance,
  ask: Ask,
  { text, which }: { readonly which: DescriptionField; readonly text: string },
): Promise<void> {
  if (which === "title" && text.includes("\n")) {
    throw new SvirtError("metadata title can't contain newlines", {
      kind: "usage",
      remedy: "Use one line; set longer text as the description.",
    });
  }
  const change = ({ [which]: _, ...domain }: Domain): Domain =>
    text === "" ? domain : { ...domain, [which]: text };
  await changeDomain(instance, ask, {
    live: {
      what: `set the ${which}`,
      decide: ({ xml }) => ({ steps: [], after: [], xml: formatDomain(change(parseDomainText(xml))) }),
    },
    config: change,
  });
}
