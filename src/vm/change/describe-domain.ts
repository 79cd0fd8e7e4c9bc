import { formatDomain, parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { type ApplicationElement, elementOf, replaceElement } from "../../domain/metadata-element.ts";
import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { type DomainNote, noteDomain } from "../../state/reports/domain-notes.ts";
import { formOf } from "../guest/domain-form.ts";
import { findDomain } from "../guest/find-domain.ts";
import { type Ask, type Changed, changeDomain } from "./change-domain.ts";
import { decideImpact } from "./impact.ts";

/** Title in a single line or descriptive text of a domain. */
export type DescriptionField = "title" | "description";

type Read = Pick<Ask, "key" | "options">;

/**
 * Returns the title or description of the running guest or the definition, as `options` selects; undefined if
 * it has none.
 */
export function readDescription(instance: Instance, ask: Read, which: DescriptionField): string | undefined {
  return readForm(instance, ask)[which];
}

/** Returns the metadata of a namespace, without it; undefined if there are none. */
export function readMetadata(instance: Instance, ask: Read, uri: string): string | undefined {
  const { metadata } = readForm(instance, ask);
  return metadata === undefined ? undefined : elementOf(metadata, uri);
}

function readForm(instance: Instance, { key, options }: Read): Domain {
  return formOf(instance, decideImpact(findDomain(instance, key), options), "running");
}

/**
 * Sets the title or description; an empty text removes it. Throws "usage" for a title of several lines,
 * "xml".
 */
export async function writeDescription(
  instance: Instance,
  ask: Ask,
  { text, which }: { readonly which: DescriptionField; readonly text: string },
): Promise<Changed> {
  if (which === "title" && text.includes("\n")) {
    throw new SvirtError("metadata title can't contain newlines", {
      kind: "usage",
      remedy: "Use one line; set longer text as the description.",
    });
  }
  return await describe(instance, ask, {
    what: `set the ${which}`,
    change: ({ [which]: _, ...domain }) => (text === "" ? domain : { ...domain, [which]: text }),
    note: { report: "metadata-change", type: which },
  });
}

/** Sets or removes the metadata of a namespace. Throws as replaceElement(). */
export async function writeMetadata(
  instance: Instance,
  ask: Ask,
  element: ApplicationElement,
): Promise<Changed> {
  return await describe(instance, ask, {
    what: "set the metadata",
    change({ metadata, ...domain }) {
      const changed = replaceElement(metadata, element);
      return changed === undefined ? domain : { ...domain, metadata: changed };
    },
    note: { report: "metadata-change", type: "element", uri: element.uri },
  });
}

async function describe(
  instance: Instance,
  ask: Ask,
  {
    change,
    note,
    what,
  }: { readonly what: string; readonly change: (domain: Domain) => Domain; readonly note: DomainNote },
): Promise<Changed> {
  const { guest, name, uuid } = findDomain(instance, ask.key);
  const changed = await changeDomain(instance, ask, {
    live: {
      what,
      decide({ xml: before }) {
        const xml = formatDomain(change(parseDomainText(before)));
        // The text comes from a client: a record with XML that cannot be read would lose the guest.
        parseDomainText(xml);
        return { steps: [], after: [], xml };
      },
    },
    config: change,
  });
  if (!ask.isDryRun) await noteDomain(instance, { name, uuid, id: guest?.id }, note);
  return changed;
}
