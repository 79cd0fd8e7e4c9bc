import type { ElementForm, Exception, Field, Variant } from "./declaration.ts";
import { type Draft, emptyDraft } from "./draft.ts";
import { isBlank, type XmlNode } from "./node.ts";
import { notKnown, notSupported, type Spot } from "./refusal.ts";

/** The value that a form parses to. */
export type ValueOf<F> = F extends ElementForm<infer T> ? T : never;

/** An element's fields, by the property's name. */
export type Fields = Readonly<Record<string, Field<unknown>>>;

const NO_EXCEPTIONS: readonly Exception[] = [];

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

/**
 * `<tag>` with these fields, written in this order; whatever else stands in it is refused. The fields are made when the
 * first such element is read or written: a domain has few of those that there are.
 */
export function element<F extends Fields>(
  tag: string,
  fields: () => F,
  exceptions: readonly Exception[] = NO_EXCEPTIONS,
): ElementForm<FieldsValue<F>> {
  return new PlainElement(tag, fields, exceptions);
}

/** The same form with one more demand on its value, for what two fields say together. */
export function checked<T>(form: ElementForm<T>, check: (value: T, node: XmlNode) => void): ElementForm<T> {
  return new RewrittenForm(form, (value, node) => {
    check(value, node);
    return value;
  });
}

/** The same form with its value put into the one shape in which it is kept and written. */
export function rewritten<T>(form: ElementForm<T>, rewrite: (value: T, node: XmlNode) => T): ElementForm<T> {
  return new RewrittenForm(form, rewrite);
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

// Classes for the reason that fields are: see field.ts.
class PlainElement<F extends Fields> implements ElementForm<FieldsValue<F>> {
  declare private made: readonly Variant[] | undefined;
  declare private madeFields: F | undefined;
  declare readonly tag: string;
  declare private readonly makeFields: () => F;
  declare private readonly exceptions: readonly Exception[];

  constructor(tag: string, makeFields: () => F, exceptions: readonly Exception[]) {
    this.tag = tag;
    this.makeFields = makeFields;
    this.exceptions = exceptions;
  }

  get fields(): F {
    this.madeFields ??= this.makeFields();
    return this.madeFields;
  }

  get variants(): readonly Variant[] {
    this.made ??= [
      { places: Object.values(this.fields).map((field) => field.place), exceptions: this.exceptions },
    ];
    return this.made;
  }

  parse(node: XmlNode): FieldsValue<F> {
    for (const variant of this.variants) refuseUndeclared(node, variant);
    return readFields(node, this.fields);
  }

  format(value: FieldsValue<F>): Draft {
    return writeFields(emptyDraft(this.tag), this.fields, value);
  }
}

class RewrittenForm<T> implements ElementForm<T> {
  declare private readonly form: ElementForm<T>;
  declare private readonly rewrite: (value: T, node: XmlNode) => T;

  constructor(form: ElementForm<T>, rewrite: (value: T, node: XmlNode) => T) {
    this.form = form;
    this.rewrite = rewrite;
  }

  get tag(): string {
    return this.form.tag;
  }

  get variants(): readonly Variant[] {
    return this.form.variants;
  }

  parse(node: XmlNode): T {
    return this.rewrite(this.form.parse(node), node);
  }

  format(value: T): Draft {
    return this.form.format(value);
  }
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
