import type { ElementForm, Field, Place } from "./declaration.ts";
import { emptyDraft, textDraft } from "./draft.ts";
import type { XmlNode } from "./node.ts";
import { notUnderstood, quoted } from "./refusal.ts";
import type { ValueForm } from "./value-form.ts";

/** An attribute that may be absent. */
export function attribute<T>(name: string, form: ValueForm<T>): Field<T | undefined> {
  return {
    place: { in: "attribute", name, expects: form.expects },
    read(node) {
      const text = node.attributes.get(name);
      return text === undefined ? undefined : decodeAt({ node, place: `@${name}` }, text, form);
    },
    write(draft, value) {
      if (value !== undefined) draft.attributes.set(name, form.encode(value));
    },
  };
}

/** The text of the element itself; empty text is absent. */
export function content<T>(form: ValueForm<T>): Field<T | undefined> {
  return {
    place: { in: "text", expects: form.expects },
    read: (node) => (node.text.trim() === "" ? undefined : decodeAt({ node }, node.text, form)),
    write(draft, value) {
      if (value !== undefined) draft.text = form.encode(value);
    },
  };
}

/** The text of a child that has nothing else, `<name>text</name>`. */
export function textOf<T>(name: string, form: ValueForm<T>): Field<T | undefined> {
  return {
    place: { in: "element", name, many: false, form: { is: "text", expects: form.expects } },
    read(node) {
      const found = onlyChild(node, name);
      if (found === undefined) return undefined;
      refuseInside(found, "text");
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
    place: { in: "element", name, many: false, form: { is: "empty" } },
    read(node) {
      const found = onlyChild(node, name);
      if (found !== undefined) refuseInside(found, "nothing");
      return found !== undefined;
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
    place: { in: "element", name, many: false, form: { is: "declared", form } },
    read(node) {
      const found = onlyChild(node, name);
      return found === undefined ? undefined : form().parse(found);
    },
    write(draft, value) {
      if (value !== undefined) draft.children.push(form().format(value));
    },
  };
}

/** A child that stands for itself where it is absent: read as an empty one, and always written. */
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
    place: { in: "element", name: form.tag, many: true, form: { is: "declared", form: () => form } },
    read: (node) => node.children.filter((found) => found.tag === form.tag).map((found) => form.parse(found)),
    write(draft, values) {
      for (const value of values) draft.children.push(form.format(value));
    },
  };
}

/** A child that is not ours to understand: its source is kept as it is and written again. */
export function kept(name: string): Field<string | undefined> {
  return {
    place: { in: "element", name, many: false, form: { is: "kept" } },
    read: (node) => onlyChild(node, name)?.source,
    write(draft, value) {
      if (value !== undefined) draft.children.push(value);
    },
  };
}

/** Refuses a document in which the field is absent. */
export function required<T>(field: Field<T | undefined>): Field<T> {
  return {
    place: field.place,
    read(node) {
      const value = field.read(node);
      if (value !== undefined) return value;
      const place = nameOf(field.place);
      throw notUnderstood({ node }, `it lacks ${place}`, `Write ${place} there.`);
    },
    write: (draft, value) => field.write(draft, value),
  };
}

/** `@name`, `name` or `text`: for messages. */
export function nameOf(place: Place): string {
  if (place.in === "text") return "its text";
  return place.in === "attribute" ? `@${place.name}` : `<${place.name}>`;
}

/** The child of that name; twice is refused, since one of the two would go unread. */
export function onlyChild(node: XmlNode, name: string): XmlNode | undefined {
  const [found, second] = node.children.filter((candidate) => candidate.tag === name);
  if (second === undefined) return found;
  throw notUnderstood({ node: second }, `only one <${name}> may stand here`, "Leave one of them out.");
}

/** The value of a text, refused with its place if the form does not take it. */
export function decodeAt<T>(spot: Parameters<typeof notUnderstood>[0], text: string, form: ValueForm<T>): T {
  const value = form.decode(text);
  if (value !== undefined) return value;
  throw notUnderstood(spot, `${quoted(text)} is not ${form.expects}`, `Write ${form.expects}.`);
}

function refuseInside(node: XmlNode, allowed: "text" | "nothing"): void {
  const [name] = [...[...node.attributes.keys()].map((key) => `@${key}`), ...node.children.map((c) => c.tag)];
  if (name !== undefined) throw undeclared({ node, place: name });
  if (allowed === "nothing" && node.text.trim() !== "") throw undeclared({ node, place: "text()" });
}

/** Content that no declaration names. */
export function undeclared(spot: Parameters<typeof notUnderstood>[0]): Error {
  return notUnderstood(
    spot,
    "svirt does not know it",
    "Remove it, or correct its name: what svirt does not know could open a file that nobody labelled.",
  );
}

function emptyChild(parent: XmlNode, tag: string): XmlNode {
  return { tag, attributes: new Map(), children: [], text: "", line: parent.line, parent, source: "" };
}
