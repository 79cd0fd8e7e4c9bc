import { type ElementForm, type Field, type Place, placeName } from "./declaration.ts";
import { type Draft, emptyDraft, textDraft } from "./draft.ts";
import { type Faults, report, Unreadable } from "./faults.ts";
import { isBlank, type XmlNode } from "./node.ts";
import { missing, notKnown, notUnderstood, quoted, type Spot } from "./refusal.ts";
import type { ValueForm } from "./value-form.ts";

/*
 * There are a good thousand fields in the forms of a domain, all made whenever svirt reads one, and few are asked. So they
 * are classes, though they have no lifetime: a new one costs a third of an object with functions of its own, and what
 * only a refusal or the manual asks is made then. docs/measurements.md
 */

/** An attribute that may be absent. */
export function attribute<T>(name: string, form: ValueForm<T>): Field<T | undefined> {
  return new AttributeField(name, form);
}

/** The text of the element itself; where there is none but white space, it is absent. */
export function content<T>(form: ValueForm<T>): Field<T | undefined> {
  return new ContentField(form);
}

/** The text of a child that has nothing else, `<name>text</name>`. */
export function textOf<T>(name: string, form: ValueForm<T>): Field<T | undefined> {
  return new TextField(name, form);
}

/** A child that says something by being there, `<readonly/>`. */
export function flag(name: string): Field<boolean> {
  return new FlagField(name);
}

/** A child with a form of its own, at most once. */
export function child<T>(form: ElementForm<T>): Field<T | undefined> {
  return new ChildField(form);
}

/** The same for a form that contains itself. */
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

/** A child that is read as an empty one where it is absent, and always written. */
export function always<T>(form: ElementForm<T>): Field<T> {
  const field = child(form);
  return {
    place: field.place,
    read: (node, faults) => field.read(node, faults) ?? form.parse(emptyChild(node, form.tag), faults),
    write: (draft, value) => field.write(draft, value),
  };
}

/** Any number of children of one form, in their order. */
export function children<T>(form: ElementForm<T>): Field<readonly T[]> {
  return new ChildrenField(form);
}

/** A child that is not ours to understand: its source is kept as it is and written again. */
export function kept(name: string): Field<string | undefined> {
  return {
    place: { in: "child", name, many: false, inside: { is: "kept" } },
    read: (node) => onlyChild(node, name)?.source,
    write(draft, value) {
      if (value !== undefined) draft.children.push(value);
    },
  };
}

/** Refuses a document in which the field is absent, in other words if somebody waits for them. */
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
      throw notUnderstood({ node: candidate }, `only one <${name}> may stand here`, "Leave one of them out.");
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
