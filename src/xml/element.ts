import type { ElementForm, Exception, Field, Variant } from "./declaration.ts";
import { type Draft, emptyDraft } from "./draft.ts";
import { isBlank, type XmlNode } from "./node.ts";
import { notKnown, notSupported, type Spot } from "./refusal.ts";

/** The value that a form parses to. */
export type ValueOf<F> = F extends ElementForm<infer T> ? T : never;

/** An element's fields, by the property's name. */
export type Fields = Readonly<Record<string, Field<unknown>>>;

type FieldValue<F> = F extends Field<infer T> ? T : never;
type OptionalKey<F> = { [K in keyof F]: undefined extends FieldValue<F[K]> ? K : never }[keyof F];

/** An intersection, shown as one object. */
export type Flat<T> = { [K in keyof T]: T[K] };

/** What fields parse to: one that may be absent is an optional property. */
export type FieldsValue<F> = Flat<
  { readonly [K in Exclude<keyof F, OptionalKey<F>>]: FieldValue<F[K]> } & {
    readonly [K in OptionalKey<F>]?: Exclude<FieldValue<F[K]>, undefined>;
  }
>;

/** `<tag>` with these fields, written in this order; whatever else stands in it is refused. */
export function element<F extends Fields>(
  tag: string,
  fields: F,
  exceptions: readonly Exception[] = [],
): ElementForm<FieldsValue<F>> {
  const variant = { places: Object.values(fields).map((field) => field.place), exceptions };
  return {
    tag,
    variants: [variant],
    parse(node) {
      refuseUndeclared(node, variant);
      return readFields(node, fields);
    },
    format: (value) => writeFields(emptyDraft(tag), fields, value),
  };
}

/** The same form with one more demand on its value, for what two fields say together. */
export function checked<T>(form: ElementForm<T>, check: (value: T, node: XmlNode) => void): ElementForm<T> {
  return {
    ...form,
    parse(node) {
      const value = form.parse(node);
      check(value, node);
      return value;
    },
  };
}

/** The same form with its value put into the one shape in which it is kept and written. */
export function rewritten<T>(form: ElementForm<T>, rewrite: (value: T, node: XmlNode) => T): ElementForm<T> {
  return { ...form, parse: (node) => rewrite(form.parse(node), node) };
}

/** Refuses a document where this stands; `why` is a sentence about svirt. */
export function refused(place: string, why: string): Exception {
  return { place, act: "refuse", why };
}

/** Reads over what stands there; it is not written again. */
export function dropped(place: string, why: string): Exception {
  return { place, act: "drop", why };
}

/** The values of the fields that are present. */
export function readFields<F extends Fields>(node: XmlNode, fields: F): FieldsValue<F> {
  const values: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(fields)) {
    const value = field.read(node);
    if (value !== undefined) values[key] = value;
  }
  return values as FieldsValue<F>;
}

/** The draft with the fields' values in it. */
export function writeFields(draft: Draft, fields: Fields, value: object): Draft {
  const values = new Map<string, unknown>(Object.entries(value));
  for (const [key, field] of Object.entries(fields)) field.write(draft, values.get(key));
  return draft;
}

/** Refuses attributes, children and text that the variant does not declare. */
export function refuseUndeclared(node: XmlNode, variant: Variant): void {
  for (const name of node.attributes.keys()) {
    if (!isDeclared(variant, "attribute", name)) refuse(variant, `@${name}`, { node, place: `@${name}` });
  }
  for (const child of node.children) {
    if (!isDeclared(variant, "child", child.tag)) refuse(variant, child.tag, { node: child });
  }
  if (isBlank(node.text) || variant.places.some((place) => place.in === "text")) return;
  throw notKnown({ node, place: "text()" });
}

function isDeclared({ places }: Variant, kind: "attribute" | "child", name: string): boolean {
  for (const place of places) if (place.in === kind && place.name === name) return true;
  return false;
}

function refuse({ exceptions }: Variant, place: string, spot: Spot): void {
  const exception = exceptions.find((candidate) => candidate.place === place);
  if (exception === undefined) throw notKnown(spot);
  if (exception.act === "refuse") throw notSupported(spot, exception.why, "Leave it out.");
}
