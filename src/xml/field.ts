import { type ElementForm, type Field, type Place, placeName } from "./declaration.ts";
import { type Draft, emptyDraft, textDraft } from "./draft.ts";
import { type Faults, report, Unreadable } from "./faults.ts";
import { isBlank, type XmlNode } from "./node.ts";
import { missing, notKnown, notUnderstood, quoted, type Spot } from "./refusal.ts";
import type { ValueForm } from "./value-form.ts";

/*
 * The forms of a domain have over a thousand fields. All are created whenever svirt reads a domain, and
 * few are used. They
 * are classes, though they have no lifetime: an instance costs a third of an object with its own
 * functions. Facts that only a
 * refusal or the manual needs are created on demand. docs/measurements.md
 */

/** Returns the field of an optional attribute. */
export function attribute<T>(name: string, form: ValueForm<T>): Field<T | undefined> {
  return new AttributeField(name, form);
}

/** Returns the field of the element's own text; white space alone counts as absent. */
export function content<T>(form: ValueForm<T>): Field<T | undefined> {
  return new ContentField(form);
}

/** Returns the field of the text of a child without other content, `<name>text</name>`. */
export function textOf<T>(name: string, form: ValueForm<T>): Field<T | undefined> {
  return new TextField(name, form);
}

/** Returns the field of a child with its presence as value, `<readonly/>`. */
export function flag(name: string): Field<boolean> {
  return new FlagField(name);
}

/** Returns the field of a child with its own form, at most once. */
export function child<T>(form: ElementForm<T>): Field<T | undefined> {
  return new ChildField(form);
}

/** Returns the field of a child with a recursive form, at most once. */
export function lazyChild<T>(name: string, form: () => ElementForm<T>): Field<T | undefined> {
  return {
    place: { in: "child", name, many: false, inside: { is: "declared", form } },
    read(node, faults) {
      const found = onlyChild(node, name);
      return found === undefined ? undefined : form().parse(found, faults);
    },
    write(draft, value) {
      if (value !== undefined) draft.children.push(form().format(value));
    },
  };
}

/** Returns the field of a child read as empty if absent, and always written. */
export function always<T>(form: ElementForm<T>): Field<T> {
  const field = child(form);
  return {
    place: field.place,
    read: (node, faults) => field.read(node, faults) ?? form.parse(emptyChild(node, form.tag), faults),
    write: (draft, value) => field.write(draft, value),
  };
}

/** Returns the field of any number of children of a form, in their order. */
export function children<T>(form: ElementForm<T>): Field<readonly T[]> {
  return new ChildrenField(form);
}

/** Returns the field of a child without interpretation: its source is kept and written unchanged. */
export function kept(name: string): Field<string | undefined> {
  return {
    place: { in: "child", name, many: false, inside: { is: "kept" } },
    read: (node) => onlyChild(node, name)?.source,
    write(draft, value) {
      if (value !== undefined) draft.children.push(value);
    },
  };
}

/** Returns the field as a mandatory field; `problem` is the message for a document without it. */
export function required<T>(field: Field<T | undefined>, problem = "it is missing"): Field<T> {
  return new RequiredField(field, problem);
}

class AttributeField<T> implements Field<T | undefined> {
  declare private readonly name: string;
  declare private readonly form: ValueForm<T>;

  constructor(name: string, form: ValueForm<T>) {
    this.name = name;
    this.form = form;
  }

  get place(): Place {
    return { in: "attribute", name: this.name, form: this.form };
  }

  read(node: XmlNode): T | undefined {
    const text = node.attributes.get(this.name);
    return text === undefined ? undefined : decodeAt({ node, place: `@${this.name}` }, text, this.form);
  }

  write(draft: Draft, value: T | undefined): void {
    if (value !== undefined) draft.attributes.set(this.name, this.form.encode(value));
  }
}

class ContentField<T> implements Field<T | undefined> {
  declare private readonly form: ValueForm<T>;

  constructor(form: ValueForm<T>) {
    this.form = form;
  }

  get place(): Place {
    return { in: "text", form: this.form };
  }

  read(node: XmlNode): T | undefined {
    return isBlank(node.text) ? undefined : decodeAt({ node }, node.text, this.form);
  }

  write(draft: Draft, value: T | undefined): void {
    if (value !== undefined) draft.text = this.form.encode(value);
  }
}

class TextField<T> implements Field<T | undefined> {
  declare private readonly name: string;
  declare private readonly form: ValueForm<T>;

  constructor(name: string, form: ValueForm<T>) {
    this.name = name;
    this.form = form;
  }

  get place(): Place {
    return { in: "child", name: this.name, many: false, inside: { is: "text", form: this.form } };
  }

  read(node: XmlNode, faults?: Faults): T | undefined {
    const found = onlyChild(node, this.name);
    if (found === undefined) return undefined;
    refuseMarkup(found, faults);
    return decodeAt({ node: found }, found.text, this.form);
  }

  write(draft: Draft, value: T | undefined): void {
    if (value !== undefined) draft.children.push(textDraft(this.name, this.form.encode(value)));
  }
}

class FlagField implements Field<boolean> {
  declare private readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  get place(): Place {
    return { in: "child", name: this.name, many: false, inside: { is: "empty" } };
  }

  read(node: XmlNode, faults?: Faults): boolean {
    const found = onlyChild(node, this.name);
    if (found === undefined) return false;
    refuseMarkup(found, faults);
    if (!isBlank(found.text)) report(faults, notKnown({ node: found, place: "text()" }));
    return true;
  }

  write(draft: Draft, value: boolean): void {
    if (value) draft.children.push(emptyDraft(this.name));
  }
}

class ChildField<T> implements Field<T | undefined> {
  declare private readonly form: ElementForm<T>;

  constructor(form: ElementForm<T>) {
    this.form = form;
  }

  get place(): Place {
    const { form } = this;
    return { in: "child", name: form.tag, many: false, inside: { is: "declared", form: () => form } };
  }

  read(node: XmlNode, faults?: Faults): T | undefined {
    const found = onlyChild(node, this.form.tag);
    return found === undefined ? undefined : this.form.parse(found, faults);
  }

  write(draft: Draft, value: T | undefined): void {
    if (value !== undefined) draft.children.push(this.form.format(value));
  }
}

class ChildrenField<T> implements Field<readonly T[]> {
  declare private readonly form: ElementForm<T>;

  constructor(form: ElementForm<T>) {
    this.form = form;
  }

  get place(): Place {
    const { form } = this;
    return { in: "child", name: form.tag, many: true, inside: { is: "declared", form: () => form } };
  }

  read(node: XmlNode, faults?: Faults): readonly T[] {
    const values: T[] = [];
    let isReadable = true;
    for (const found of node.children) {
      if (found.tag !== this.form.tag) continue;
      try {
        values.push(this.form.parse(found, faults));
      } catch (thrown) {
        if (faults === undefined) throw thrown;
        faults.take(thrown);
        faults.leftOut.add(found);
        isReadable = false;
      }
    }
    if (!isReadable) throw new Unreadable(values);
    return values;
  }

  write(draft: Draft, values: readonly T[]): void {
    for (const value of values) draft.children.push(this.form.format(value));
  }
}

class RequiredField<T> implements Field<T> {
  declare private readonly field: Field<T | undefined>;
  declare private readonly problem: string;

  constructor(field: Field<T | undefined>, problem: string) {
    this.field = field;
    this.problem = problem;
  }

  get place(): Place {
    return { ...this.field.place, required: true };
  }

  read(node: XmlNode, faults?: Faults): T {
    const value = this.field.read(node, faults);
    if (value !== undefined) return value;
    const name = placeName(this.field.place);
    throw missing({ node, place: name }, this.problem);
  }

  write(draft: Draft, value: T): void {
    this.field.write(draft, value);
  }
}

function onlyChild(node: XmlNode, name: string): XmlNode | undefined {
  let found: XmlNode | undefined;
  for (const candidate of node.children) {
    if (candidate.tag !== name) continue;
    if (found === undefined) found = candidate;
    else
      throw notUnderstood(
        { node: candidate },
        `only one <${name}> is allowed here`,
        "Remove all but one of them.",
      );
  }
  return found;
}

function decodeAt<T>(spot: Spot, text: string, form: ValueForm<T>): T {
  const value = form.decode(text);
  if (value !== undefined) return value;
  throw notUnderstood(spot, `${quoted(text)} is not ${form.expects}`, `Write ${form.expects}.`);
}

function refuseMarkup(node: XmlNode, faults: Faults | undefined): void {
  for (const attribute of node.attributes.keys()) report(faults, notKnown({ node, place: `@${attribute}` }));
  for (const element of node.children) report(faults, notKnown({ node: element }));
}

function emptyChild(parent: XmlNode, tag: string): XmlNode {
  return { tag, attributes: new Map(), children: [], text: "", line: parent.line, parent, source: "" };
}
