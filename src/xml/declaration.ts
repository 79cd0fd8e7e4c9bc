import type { Draft } from "./draft.ts";
import type { Faults } from "./faults.ts";
import type { XmlNode } from "./node.ts";
import type { ValueForm } from "./value-form.ts";

/** An element, declared once: its value's type, its parser and its formatter. */
export interface ElementForm<T> {
  readonly tag: string;
  /** One of a plain element, one a word of a choice. */
  readonly variants: readonly Variant[];
  /** Throws the first refusal; with faults keeps all of them there. */
  parse(node: XmlNode, faults?: Faults): T;
  format(value: T): Draft;
}

/** What may stand in an element, or in one alternative of it. */
export interface Variant {
  readonly when?: Selector;
  readonly places: readonly Place[];
  readonly exceptions: readonly Exception[];
}

/** What tells one alternative of a choice from the others. */
export interface Selector {
  readonly attribute: string;
  readonly word: string;
  /** How the word may be said: by the attribute, by leaving it out, or in both ways. */
  readonly said: "written" | "absent" | "either";
  /** Words that libvirt knows and we refuse, with the reason. */
  readonly refused: ReadonlyMap<string, string>;
}

/** A place that is known and has no value: refused with a reason, or read over with a reason. */
export interface Exception {
  /** `@name`, or `name` of a child. */
  readonly place: string;
  readonly act: "refuse" | "drop";
  readonly why: string;
}

/** Where inside an element a field stands. */
export type Place = { readonly required?: true } & (
  | { readonly in: "attribute"; readonly name: string; readonly form: ValueForm<unknown> }
  | { readonly in: "text"; readonly form: ValueForm<unknown> }
  | { readonly in: "child"; readonly name: string; readonly many: boolean; readonly inside: Inside }
);

/** What a child looks like: declared, plain text, nothing, or not ours to look at. */
type Inside =
  | { readonly is: "declared"; readonly form: () => ElementForm<unknown> }
  | { readonly is: "text"; readonly form: ValueForm<unknown> }
  | { readonly is: "empty" }
  | { readonly is: "kept" };

/** A place inside an element, and what stands there. `undefined` is never written. */
export interface Field<T> {
  readonly place: Place;
  read(node: XmlNode, faults?: Faults): T;
  write(draft: Draft, value: T): void;
}

/** `@name`, `name` or `text()`, as in a path. */
export function placeName(place: Place): string {
  if (place.in === "text") return "text()";
  return place.in === "attribute" ? `@${place.name}` : place.name;
}
