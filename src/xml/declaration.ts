import type { Draft } from "./draft.ts";
import type { Faults } from "./faults.ts";
import type { XmlNode } from "./node.ts";
import type { ValueForm } from "./value-form.ts";

/** Declaration of an element: its value's type, its parser and its formatter. */
export interface ElementForm<T> {
  readonly tag: string;
  /** A single variant for a plain element, a variant per value for a choice. */
  readonly variants: readonly Variant[];
  /** Returns the element's value. Throws the first refusal; with faults, collects all of them there. */
  parse(node: XmlNode, faults?: Faults): T;
  format(value: T): Draft;
}

/** Permitted content of an element, or of an alternative of it. */
export interface Variant {
  readonly when?: Selector;
  readonly places: readonly Place[];
  readonly exceptions: readonly Exception[];
}

/** Attribute value selecting an alternative of a choice. */
export interface Selector {
  readonly attribute: string;
  readonly word: string;
  /** How the attribute expresses the value: present, absent, or either. */
  readonly said: "written" | "absent" | "either";
  /** Values known to libvirt and refused by svirt, with the reason. */
  readonly refused: ReadonlyMap<string, string>;
}

/** Known place without a value: refused or ignored, with a reason. */
export interface Exception {
  /** `@name`, or `name` of a child. */
  readonly place: string;
  readonly act: "refuse" | "drop";
  readonly why: string;
}

/** Place of a field inside an element. */
export type Place = { readonly required?: true } & (
  | { readonly in: "attribute"; readonly name: string; readonly form: ValueForm<unknown> }
  | { readonly in: "text"; readonly form: ValueForm<unknown> }
  | { readonly in: "child"; readonly name: string; readonly many: boolean; readonly inside: Inside }
);

/** Content of a child: declared, plain text, empty, or kept without inspection. */
type Inside =
  | { readonly is: "declared"; readonly form: () => ElementForm<unknown> }
  | { readonly is: "text"; readonly form: ValueForm<unknown> }
  | { readonly is: "empty" }
  | { readonly is: "kept" };

/** Place inside an element, with the reader and the writer of its value. `undefined` is never written. */
export interface Field<T> {
  readonly place: Place;
  read(node: XmlNode, faults?: Faults): T;
  write(draft: Draft, value: T): void;
}

/** Returns `@name`, `name` or `text()`, as in a path. */
export function placeName(place: Place): string {
  if (place.in === "text") return "text()";
  return place.in === "attribute" ? `@${place.name}` : place.name;
}
