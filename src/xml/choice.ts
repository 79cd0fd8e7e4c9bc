import type { ElementForm, Exception, Selector, Variant } from "./declaration.ts";
import { type Draft, emptyDraft } from "./draft.ts";
import {
  type Fields,
  type FieldsValue,
  type Flat,
  readFields,
  refuseUndeclared,
  writeFields,
} from "./element.ts";
import type { Faults } from "./faults.ts";
import { attribute } from "./field.ts";
import type { XmlNode } from "./node.ts";
import { notSupported, notUnderstood, quoted } from "./refusal.ts";
import { oneOf } from "./value-form.ts";

/** Properties of a choice other than its alternatives. */
interface ChoiceFacts {
  /** Value of an absent attribute; it is written out. */
  readonly absent?: string;
  /** svirt's own value for an absent attribute; it is neither read nor written. */
  readonly silent?: string;
  /** Values known to libvirt and refused by svirt, with the reason. */
  readonly refused?: Readonly<Record<string, string>>;
  readonly exceptions?: readonly Exception[];
  /** Exceptions of a single value. */
  readonly exceptionsOf?: Readonly<Record<string, readonly Exception[]>>;
}

type Alternatives = Readonly<Record<string, Fields>>;

type ChoiceValue<A extends string, V extends Alternatives> = {
  [K in keyof V]: Flat<{ readonly [P in A]: K } & FieldsValue<V[K]>>;
}[keyof V];

/**
 * Returns the form of `<tag>` with fields depending on an attribute; its value is a union, discriminated by
 * the attribute.
 */
export function choice<const A extends string, const V extends Alternatives>(
  tag: string,
  by: { readonly attribute: A; readonly of: () => V } & ChoiceFacts,
): ElementForm<ChoiceValue<A, V>> {
  return new ChoiceForm(tag, by) as ElementForm<ChoiceValue<A, V>>;
}

/** Whether the element has the selector's value. */
export function isChosen(node: XmlNode, { attribute: name, word, said }: Selector): boolean {
  const written = node.attributes.get(name);
  return written === undefined ? said !== "written" : said !== "absent" && written === word;
}

interface Alternative extends Variant {
  readonly when: Selector;
  readonly fields: Fields;
}

type By = ChoiceFacts & { readonly attribute: string; readonly of: () => Alternatives };

// A class for the reason given in field.ts.
class ChoiceForm implements ElementForm<object> {
  declare private made: readonly Alternative[] | undefined;

  declare readonly tag: string;
  declare private readonly by: By;

  constructor(tag: string, by: By) {
    this.tag = tag;
    this.by = by;
  }

  get variants(): readonly Alternative[] {
    this.made ??= alternativesOf(this.by);
    return this.made;
  }

  parse(node: XmlNode, faults?: Faults): object {
    const { by } = this;
    const chosen = this.variants.find(({ when }) => isChosen(node, when));
    if (chosen === undefined) throw wrongWord(node, by, wordsOf(by));
    const before = faults?.errors.length;
    refuseUndeclared(node, chosen, faults);
    const isStrange = faults?.errors.length !== before;
    return { [by.attribute]: chosen.when.word, ...readFields(node, chosen.fields, { faults, isStrange }) };
  }

  format(value: object): Draft {
    const { by, tag } = this;
    const word = new Map<string, unknown>(Object.entries(value)).get(by.attribute);
    const draft = emptyDraft(tag);
    const chosen = this.variants.find(({ when }) => when.word === word);
    if (chosen === undefined) return draft;
    if (chosen.when.said !== "absent") draft.attributes.set(by.attribute, chosen.when.word);
    return writeFields(draft, chosen.fields, value);
  }
}

function alternativesOf(by: By): readonly Alternative[] {
  const selector = attribute(by.attribute, oneOf(...wordsOf(by))).place;
  return Object.entries(by.of()).map(([word, fields]) => ({
    fields,
    when: selectorOf(word, by),
    places: [...(word === by.silent ? [] : [selector]), ...Object.values(fields).map((field) => field.place)],
    exceptions: [...(by.exceptions ?? []), ...(by.exceptionsOf?.[word] ?? [])],
  }));
}

function wordsOf(by: By): readonly string[] {
  return Object.keys(by.of()).filter((word) => word !== by.silent);
}

function selectorOf(word: string, by: { readonly attribute: string } & ChoiceFacts): Selector {
  const refused = new Map(Object.entries(by.refused ?? {}));
  if (word === by.silent) return { attribute: by.attribute, word, said: "absent", refused };
  return { attribute: by.attribute, word, said: word === by.absent ? "either" : "written", refused };
}

function wrongWord(
  node: XmlNode,
  by: { readonly attribute: string } & ChoiceFacts,
  words: readonly string[],
): Error {
  const spot = { node, place: `@${by.attribute}` };
  const remedy = `Write ${oneOf(...words).expects}.`;
  const word = node.attributes.get(by.attribute);
  if (word === undefined) return notUnderstood(spot, "it is missing", remedy);
  const why = new Map(Object.entries(by.refused ?? {})).get(word);
  if (why !== undefined) return notSupported(spot, `${quoted(word)}: ${why}`, remedy);
  return notUnderstood(spot, `${quoted(word)} is not ${oneOf(...words).expects}`, remedy);
}
