import { uuid } from "../../domain/forms/text.ts";
import type { Field } from "../../xml/declaration.ts";
import { element, refused, type ValueOf } from "../../xml/element.ts";
import { attribute, required, textOf } from "../../xml/field.ts";
import { formatDocument } from "../../xml/format-document.ts";
import { parseDocument } from "../../xml/parse-document.ts";
import { readWhole } from "../../xml/read-whole.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { chainPriority, RULE_PRIORITY } from "./filter-rule.ts";
import { priority, rule, type WrittenRule } from "./rule-form.ts";
import { chainName, filterName } from "./value-forms.ts";

const filterref = element("filterref", () => ({ filter: required(attribute("filter", filterName)) }), [
  refused("parameter", "svirt applies parameters of interfaces only"),
]);

/** Entry of a filter: a rule, or the name of a filter that it includes. */
export type WrittenEntry = WrittenRule | string;

/** Rules and included filters, in their order. */
const entries: Field<readonly WrittenEntry[]> = {
  place: { in: "child", name: rule.tag, many: true, inside: { is: "declared", form: () => rule } },
  read: (node, faults) =>
    node.children.flatMap((found): WrittenEntry[] => {
      if (found.tag === rule.tag) return [rule.parse(found, faults)];
      return found.tag === filterref.tag ? [filterref.parse(found, faults).filter] : [];
    }),
  write(draft, values) {
    for (const value of values)
      draft.children.push(
        typeof value === "string" ? filterref.format({ filter: value }) : rule.format(value),
      );
  },
};

/** Declares `<filterref>`, read and written by the field of the entries. */
const included: Field<undefined> = {
  place: { in: "child", name: filterref.tag, many: true, inside: { is: "declared", form: () => filterref } },
  read: () => undefined,
  write: () => undefined,
};

/** `<filter>`. https://libvirt.org/formatnwfilter.html */
const filter = element("filter", () => ({
  name: required(attribute("name", filterName)),
  chain: attribute("chain", chainName),
  priority: attribute("priority", priority),
  uuid: textOf("uuid", uuid),
  entries,
  included,
}));

/** Filter of libvirt as it is defined. */
export type WrittenFilter = Omit<ValueOf<typeof filter>, "included">;

/** Bound of the entries of a filter. */
const MOST_ENTRIES = 1000;

/** Reads a `<filter>` document. Throws "xml" and "unsupported", with the places. */
export function parseFilter(bytes: Uint8Array): WrittenFilter {
  const root = parseDocument(bytes);
  if (root.tag !== filter.tag)
    throw notUnderstood(
      { node: root },
      "it is not a <filter>",
      "Give svirt the definition of a network filter.",
    );
  const value = readWhole(filter, root);
  if (value.entries.length <= MOST_ENTRIES) return value;
  const remedy = "Divide it into filters that one includes by <filterref>.";
  throw notUnderstood({ node: root }, `it has more than ${MOST_ENTRIES} rules and filters`, remedy);
}

/** Reads a stored `<filter>` document. */
export function parseFilterText(xml: string): WrittenFilter {
  return parseFilter(new TextEncoder().encode(xml));
}

/** Returns the filter's XML in libvirt's layout, with its defaults. virNWFilterDefFormat() of libvirt */
export function formatWrittenFilter(written: WrittenFilter & { readonly uuid: string }): string {
  const { chain = "root", priority: place = chainPriority(chain), ...rest } = written;
  const whole = written.entries.map((entry) =>
    typeof entry === "string" ? entry : { ...entry, priority: entry.priority ?? RULE_PRIORITY },
  );
  const value = { ...rest, chain, ...(place === undefined ? {} : { priority: place }), entries: whole };
  return formatDocument(filter.format(value));
}
