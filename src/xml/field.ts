import { type ElementForm, type Field, placeName } from "./declaration.ts";
import { emptyDraft, textDraft } from "./draft.ts";
import { isBlank, type XmlNode } from "./node.ts";
import { notKnown, notUnderstood, quoted, type Spot } from "./refusal.ts";
import type { ValueForm } from "./value-form.ts";

/** An attribute that may be absent. */
export function attribute<T>(name: string, form: ValueForm<T>): Field<T | undefined> {
  return {
    place: { in: "attribute", name, form },
    read(node) {
      const text = node.attributes.get(name);
      return text === undefined ? undefined : decodeAt({ node, place: `@${name}` }, text, form);
    },
    write(draft, value) {
      if (value !== undefined) draft.attributes.set(name, form.encode(value));
    },
  };
}

/** The text of the element itself; where there is none but white space, it is absent. */
export function content<T>(form: ValueForm<T>): Field<T | undefined> {
  return {
    place: { in: "text", form },
    read: (node) => (isBlank(node.text) ? undefined : decodeAt({ node }, node.text, form)),
    write(draft, value) {
      if (value !== undefined) draft.text = form.encode(value);
    },
  };
}

/** The text of a child that has nothing else, `<name>text</name>`. */
export function textOf<T>(name: string, form: ValueForm<T>): Field<T | undefined> {
  return {
    place: { in: "child", name, many: false, inside: { is: "text", form } },
    read(node) {
      const found = onlyChild(node, name);
      if (found === undefined) return undefined;
      refuseMarkup(found);
      return decodeAt({ node: found }, found.text, form);
    },
    write(draft, value) {
      if (value !== undefined) draft.children.push(textDraft(name, form.encode(value)));
    },
  };
}

/** A child that says something by being there, `<readonly/>`. */
export function flag(name: string): Field<boolean> {
  return {
    place: { in: "child", name, many: false, inside: { is: "empty" } },
    read(node) {
      const found = onlyChild(node, name);
      if (found === undefined) return false;
      refuseMarkup(found);
      if (!isBlank(found.text)) throw notKnown({ node: found, place: "text()" });
      return true;
    },
    write(draft, value) {
      if (value) draft.children.push(emptyDraft(name));
    },
  };
}

/** A child with a form of its own, at most once. */
export function child<T>(form: ElementForm<T>): Field<T | undefined> {
  return lazyChild(form.tag, () => form);
}

/** The same for a form that contains itself. */
export function lazyChild<T>(name: string, form: () => ElementForm<T>): Field<T | undefined> {
  return {
    place: { in: "child", name, many: false, inside: { is: "declared", form } },
    read(node) {
      const found = onlyChild(node, name);
      return found === undefined ? undefined : form().parse(found);
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
    read: (node) => field.read(node) ?? form.parse(emptyChild(node, form.tag)),
    write: (draft, value) => field.write(draft, value),
  };
}

/** Any number of children of one form, in their order. */
export function children<T>(form: ElementForm<T>): Field<readonly T[]> {
  return {
    place: { in: "child", name: form.tag, many: true, inside: { is: "declared", form: () => form } },
    read: (node) => node.children.filter((found) => found.tag === form.tag).map((found) => form.parse(found)),
    write(draft, values) {
      for (const value of values) draft.children.push(form.format(value));
    },
  };
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

/** Refuses a document in which the field is absent. */
export function required<T>(field: Field<T | undefined>): Field<T> {
  const name = placeName(field.place);
  return {
    place: { ...field.place, required: true },
    read(node) {
      const value = field.read(node);
      if (value !== undefined) return value;
      throw notUnderstood({ node, place: name }, "it is missing", `Write ${name} there.`);
    },
    write: (draft, value) => field.write(draft, value),
  };
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

function refuseMarkup(node: XmlNode): void {
  const [attribute] = node.attributes.keys();
  if (attribute !== undefined) throw notKnown({ node, place: `@${attribute}` });
  const [element] = node.children;
  if (element !== undefined) throw notKnown({ node: element });
}

function emptyChild(parent: XmlNode, tag: string): XmlNode {
  return { tag, attributes: new Map(), children: [], text: "", line: parent.line, parent, source: "" };
}
