import type { Draft } from "./draft.ts";
import type { XmlNode } from "./node.ts";

/** An element, declared once: its value's type, its parser and its formatter. */
export interface ElementForm<T> {
  readonly tag: string;
  /** One for a plain element, one a word for a choice. */
  readonly variants: readonly Variant[];
  parse(node: XmlNode): T;
  format(value: T): Draft;
}

/** The places of an element, or of one alternative of it. */
export interface Variant {
  /** `@type='file'` for an alternative. */
  readonly when?: string;
  readonly places: readonly Place[];
  readonly exceptions: readonly Exception[];
}

/** A place that is known and has no value: refused with a reason, or read over with a reason. */
export interface Exception {
  readonly place: string;
  readonly act: "refuse" | "drop";
  readonly why: string;
}

/** Where inside an element a field stands. */
export type Place =
  | { readonly in: "attribute"; readonly name: string; readonly expects: string }
  | { readonly in: "text"; readonly expects: string }
  | { readonly in: "element"; readonly name: string; readonly many: boolean; readonly form: Inside };

/** What an element's inside looks like: declared, plain text, nothing, or not ours to look at. */
export type Inside =
  | { readonly is: "declared"; readonly form: () => ElementForm<unknown> }
  | { readonly is: "text"; readonly expects: string; readonly attributes?: readonly string[] }
  | { readonly is: "empty" }
  | { readonly is: "kept" };

/** A place inside an element, and what stands there. `undefined` is never written. */
export interface Field<T> {
  readonly place: Place;
  read(node: XmlNode): T;
  write(draft: Draft, value: T): void;
}
