import type { ElementForm, Exception, Field, Place, Variant } from "./declaration.ts";
import { type Draft, emptyDraft } from "./draft.ts";
import { nameOf, undeclared } from "./field.ts";
import type { XmlNode } from "./node.ts";
import { notSupported, notUnderstood, quoted } from "./refusal.ts";

/** The value that a form parses to. */
export type ValueOf<F> = F extends ElementForm<infer T> ? T : never;

type Fields = Readonly<Record<string, Field<unknown>>>;
type FieldValue<F> = F extends Field<infer T> ? T : never;
type OptionalKey<F> = { [K in keyof F]: undefined extends FieldValue<F[K]> ? K : never }[keyof F];
type Flat<T> = { [K in keyof T]: T[K] };

/** What an object of fields parses to: a field that may be absent is an optional property. */
export type FieldsValue<F> = Flat<
  { readonly [K in Exclude<keyof F, OptionalKey<F>>]: FieldValue<F[K]> } & {
    readonly [K in OptionalKey<F>]?: Exclude<FieldValue<F[K]>, undefined>;
  }
>;

type ChoiceValue<D extends string, V extends Readonly<Record<string, Fields>>> = {
  [K in keyof V]: Flat<{ readonly [P in D]: K } & FieldsValue<V[K]>>;
}[keyof V];

/** Refuses the document where this stands; `why` completes "svirt ...". */
export function refused(place: string, why: string): Exception {
  return { place, act: "refuse", why };
}

/** Reads over what stands there, which is then not written again. */
export function dropped(place: string, why: string): Exception {
  return { place, act: "drop", why };
}

/** `<tag>` with these fields, written in this order; whatever else stands in it is refused. */
export function element<F extends Fields>(
  tag: string,
  fields: F,
  exceptions: readonly Exception[] = [],
): ElementForm<FieldsValue<F>> {
  const entries = Object.entries(fields);
  const variant = { places: entries.map(([, field]) => field.place), exceptions };
  return {
    tag,
    variants: [variant],
    parse(node) {
      refuseUndeclared(node, variant);
      return readFields(node, entries) as FieldsValue<F>;
    },
    format: (value) => writeFields(emptyDraft(tag), entries, value),
  };
}

interface ChoiceFacts {
  /** The word that an absent attribute stands for; it is written out. */
  readonly absent?: string;
  /** Our own word for an absent attribute; it is never written, nor read. */
  readonly silent?: string;
  /** Words that libvirt knows and we refuse, with the reason. */
  readonly refused?: Readonly<Record<string, string>>;
  readonly exceptions?: readonly Exception[];
  /** Those of one word alone. */
  readonly exceptionsOf?: Readonly<Record<string, readonly Exception[]>>;
}

/** `<tag>` whose other fields depend on one attribute; the value is a union told apart by it. */
export function choice<const D extends string, const V extends Readonly<Record<string, Fields>>>(
  tag: string,
  by: { readonly attribute: D; readonly of: V } & ChoiceFacts,
): ElementForm<ChoiceValue<D, V>> {
  const selector: Place = { in: "attribute", name: by.attribute, expects: Object.keys(by.of).join(", ") };
  const alternatives = new Map(
    Object.entries(by.of).map(([word, fields]) => {
      const entries = Object.entries(fields);
      const places = [selector, ...entries.map(([, field]) => field.place)];
      const exceptions = [...(by.exceptions ?? []), ...(by.exceptionsOf?.[word] ?? [])];
      return [word, { entries, when: `@${by.attribute}='${word}'`, places, exceptions }];
    }),
  );
  return {
    tag,
    variants: [...alternatives.values()],
    parse(node) {
      const word = node.attributes.get(by.attribute) ?? by.absent ?? by.silent;
      const chosen = word === undefined ? undefined : alternatives.get(word);
      if (chosen === undefined || (word === by.silent && node.attributes.has(by.attribute))) {
        throw wrongWord(node, {
          ...by,
          words: [...alternatives.keys()].filter((known) => known !== by.silent),
        });
      }
      refuseUndeclared(node, chosen);
      return { [by.attribute]: word, ...readFields(node, chosen.entries) } as ChoiceValue<D, V>;
    },
    format(value) {
      const word = String((value as Readonly<Record<string, unknown>>)[by.attribute]);
      const draft = emptyDraft(tag);
      if (word !== by.silent) draft.attributes.set(by.attribute, word);
      return writeFields(draft, alternatives.get(word)?.entries ?? [], value);
    },
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

type Entries = readonly (readonly [string, Field<unknown>])[];

function readFields(node: XmlNode, entries: Entries): Readonly<Record<string, unknown>> {
  const read = entries.map(([key, field]) => [key, field.read(node)] as const);
  return Object.fromEntries(read.filter(([, value]) => value !== undefined));
}

function writeFields(draft: Draft, entries: Entries, value: unknown): Draft {
  const values = new Map(Object.entries(value as object));
  for (const [key, field] of entries) field.write(draft, values.get(key));
  return draft;
}

function refuseUndeclared(node: XmlNode, variant: Variant): void {
  const names = new Set(variant.places.map(keyOf));
  const found = [...node.attributes.keys()].map((name) => `@${name}`);
  found.push(...node.children.map((nested) => nested.tag));
  if (node.text.trim() !== "") found.push("text()");
  for (const place of found) {
    if (names.has(place)) continue;
    const exception = variant.exceptions.find((candidate) => candidate.place === place);
    if (exception === undefined) throw undeclared({ node, place });
    if (exception.act === "refuse")
      throw notSupported({ node, place }, exception.why, "Remove it from the document.");
  }
}

function keyOf(place: Place): string {
  if (place.in === "text") return "text()";
  return place.in === "attribute" ? `@${place.name}` : place.name;
}

function wrongWord(
  node: XmlNode,
  by: ChoiceFacts & { readonly attribute: string; readonly words: readonly string[] },
): Error {
  const place = nameOf({ in: "attribute", name: by.attribute, expects: "" });
  const words = by.words.map((word) => `"${word}"`).join(", ");
  const word = node.attributes.get(by.attribute);
  if (word === undefined)
    return notUnderstood({ node }, `it lacks ${place}`, `Write ${place}, one of ${words}.`);
  const why = new Map(Object.entries(by.refused ?? {})).get(word);
  const spot = { node, place };
  if (why !== undefined) return notSupported(spot, `${quoted(word)}: ${why}`, `Use one of ${words}.`);
  return notUnderstood(spot, `${quoted(word)} is not one of ${words}`, `Write one of ${words}.`);
}
