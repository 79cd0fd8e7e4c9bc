import { SvirtError } from "../errors.ts";
import type { ElementForm, Exception, Field, Variant } from "./declaration.ts";
import { type Draft, emptyDraft } from "./draft.ts";
import { type Faults, report, Unreadable } from "./faults.ts";
import { isBlank, type XmlNode } from "./node.ts";
import { Missing, notKnown, notSupported, type Spot } from "./refusal.ts";

/** Type of a form's value. */
export type ValueOf<F> = F extends ElementForm<infer T> ? T : never;

/** Fields of an element, keyed by the property's name. */
export type Fields = Readonly<Record<string, Field<unknown>>>;

const NO_EXCEPTIONS: readonly Exception[] = [];

type FieldValue<F> = F extends Field<infer T> ? T : never;
type OptionalKey<F> = { [K in keyof F]: undefined extends FieldValue<F[K]> ? K : never }[keyof F];

/** Intersection, shown as one object. */
export type Flat<T> = { [K in keyof T]: T[K] };

/** Type of the fields' values: an optional field is an optional property. */
export type FieldsValue<F> = Flat<
  { readonly [K in Exclude<keyof F, OptionalKey<F>>]: FieldValue<F[K]> } & {
    readonly [K in OptionalKey<F>]?: Exclude<FieldValue<F[K]>, undefined>;
  }
>;

/**
 * Returns the form of `<tag>` with these fields, written in this order; all other content is refused. The
 * fields are created when the first such element is read or written: a domain uses only a few elements.
 */
export function element<F extends Fields>(
  tag: string,
  fields: () => F,
  exceptions: readonly Exception[] = NO_EXCEPTIONS,
): ElementForm<FieldsValue<F>> {
  return new PlainElement(tag, fields, { exceptions, isLoose: false });
}

/**
 * Returns the form of an element with independent parts: a refused part is omitted from the value, and the
 * others are read.
 */
export function looseElement<F extends Fields>(
  tag: string,
  fields: () => F,
  exceptions: readonly Exception[] = NO_EXCEPTIONS,
): ElementForm<FieldsValue<F>> {
  return new PlainElement(tag, fields, { exceptions, isLoose: true });
}

/** Returns the form with another check of its value, for contradictions between fields. */
export function checked<T>(
  form: ElementForm<T>,
  check: (value: T, node: XmlNode, faults?: Faults) => void,
): ElementForm<T> {
  return new RewrittenForm(form, (value, node, faults) => {
    check(value, node, faults);
    return value;
  });
}

/** Returns the form with its value converted to the stored and written notation. */
export function rewritten<T>(form: ElementForm<T>, rewrite: (value: T, node: XmlNode) => T): ElementForm<T> {
  return new RewrittenForm(form, rewrite);
}

/** Returns the form of an element with both tags even if it is empty, as libvirt writes some. */
export function paired<T>(form: ElementForm<T>): ElementForm<T> {
  return {
    tag: form.tag,
    get variants() {
      return form.variants;
    },
    parse: (node, faults) => form.parse(node, faults),
    format: (value) => ({ ...form.format(value), isPaired: true }),
  };
}

/** Refuses a document with content at this place; `why` is the reason for the message. */
export function refused(place: string, why: string): Exception {
  return { place, act: "refuse", why };
}

/** Ignores the content of this place when reading, and does not write it. */
export function dropped(place: string, why: string): Exception {
  return { place, act: "drop", why };
}

/** Mode of reading fields: up to the first refusal, or with faults all of them. */
interface Reading {
  readonly faults: Faults | undefined;
  readonly isLoose?: boolean;
  /** Whether other content of the element is refused: it may be a field under a wrong name. */
  readonly isStrange?: boolean;
}

/** Returns the values of the present fields. Throws Unreadable if the refusals in faults leave no value. */
export function readFields<F extends Fields>(node: XmlNode, fields: F, reading: Reading): FieldsValue<F> {
  const { faults } = reading;
  const values: Record<string, unknown> = {};
  let isReadable = true;
  for (const [key, field] of Object.entries(fields)) {
    let value: unknown;
    try {
      value = field.read(node, faults);
    } catch (thrown) {
      if (faults === undefined) throw thrown;
      value = keepRefusal(thrown, faults, reading);
      isReadable &&= reading.isLoose === true && field.place.required !== true;
    }
    if (value !== undefined) values[key] = value;
  }
  if (!isReadable) throw new Unreadable();
  return values as FieldsValue<F>;
}

/**
 * Records a field's refusal, unless a field is missing and may have a wrong name. Returns the readable rest
 * of its value.
 */
function keepRefusal(thrown: unknown, faults: Faults, { isStrange = false }: Reading): unknown {
  faults.isWhole = false;
  return isStrange && thrown instanceof Missing ? undefined : faults.take(thrown);
}

/** Adds the fields' values to the draft. Returns the draft. */
export function writeFields(draft: Draft, fields: Fields, value: object): Draft {
  const values = new Map<string, unknown>(Object.entries(value));
  for (const [key, field] of Object.entries(fields)) field.write(draft, values.get(key));
  return draft;
}

/** Refuses attributes, children and text not declared by the variant. */
export function refuseUndeclared(node: XmlNode, variant: Variant, faults?: Faults): void {
  for (const name of node.attributes.keys()) {
    if (isDeclared(variant, "attribute", name)) continue;
    const refusal = refusalOf(variant, `@${name}`, { node, place: `@${name}` });
    if (refusal !== undefined) report(faults, refusal);
  }
  for (const child of node.children) {
    if (isDeclared(variant, "child", child.tag)) continue;
    const refusal = refusalOf(variant, child.tag, { node: child });
    if (refusal !== undefined) report(faults, refusal);
  }
  if (isBlank(node.text) || variant.places.some((place) => place.in === "text")) return;
  report(faults, notKnown({ node, place: "text()" }));
}

interface ElementFacts {
  readonly exceptions: readonly Exception[];
  readonly isLoose: boolean;
}

// Classes for the reason given in field.ts.
class PlainElement<F extends Fields> implements ElementForm<FieldsValue<F>> {
  declare private made: readonly Variant[] | undefined;
  declare private madeFields: F | undefined;
  declare readonly tag: string;
  declare private readonly makeFields: () => F;
  declare private readonly facts: ElementFacts;

  constructor(tag: string, makeFields: () => F, facts: ElementFacts) {
    this.tag = tag;
    this.makeFields = makeFields;
    this.facts = facts;
  }

  get fields(): F {
    this.madeFields ??= this.makeFields();
    return this.madeFields;
  }

  get variants(): readonly Variant[] {
    this.made ??= [
      { places: Object.values(this.fields).map((field) => field.place), exceptions: this.facts.exceptions },
    ];
    return this.made;
  }

  parse(node: XmlNode, faults?: Faults): FieldsValue<F> {
    const { isLoose } = this.facts;
    const before = faults?.errors.length;
    for (const variant of this.variants) refuseUndeclared(node, variant, faults);
    const isStrange = !isLoose && faults?.errors.length !== before;
    return readFields(node, this.fields, { faults, isLoose, isStrange });
  }

  format(value: FieldsValue<F>): Draft {
    return writeFields(emptyDraft(this.tag), this.fields, value);
  }
}

class RewrittenForm<T> implements ElementForm<T> {
  declare private readonly form: ElementForm<T>;
  declare private readonly rewrite: (value: T, node: XmlNode, faults?: Faults) => T;

  constructor(form: ElementForm<T>, rewrite: (value: T, node: XmlNode, faults?: Faults) => T) {
    this.form = form;
    this.rewrite = rewrite;
  }

  get tag(): string {
    return this.form.tag;
  }

  get variants(): readonly Variant[] {
    return this.form.variants;
  }

  parse(node: XmlNode, faults?: Faults): T {
    const before = faults?.errors.length;
    const value = this.form.parse(node, faults);
    try {
      return this.rewrite(value, node, faults);
    } catch (thrown) {
      // The refusal may follow from missing parts of the value.
      if (faults !== undefined && faults.errors.length !== before && thrown instanceof SvirtError)
        throw new Unreadable(undefined, { cause: thrown });
      throw thrown;
    }
  }

  format(value: T): Draft {
    return this.form.format(value);
  }
}

function isDeclared({ places }: Variant, kind: "attribute" | "child", name: string): boolean {
  for (const place of places) if (place.in === kind && place.name === name) return true;
  return false;
}

function refusalOf({ exceptions }: Variant, place: string, spot: Spot): SvirtError | undefined {
  const exception = exceptions.find((candidate) => candidate.place === place);
  if (exception === undefined) return notKnown(spot);
  return exception.act === "refuse" ? notSupported(spot, exception.why, "Leave it out.") : undefined;
}
