import type { SvirtError } from "../../../src/errors.ts";
import type { XmlNode } from "../../../src/xml/node.ts";

/** Mutable element. */
export interface Tree {
  readonly tag: string;
  readonly attributes: Map<string, string>;
  readonly children: Tree[];
  text: string;
}

/** Copies a document. */
export function readTree({ attributes, children, tag, text }: XmlNode): Tree {
  return { tag, attributes: new Map(attributes), children: children.map(readTree), text };
}

/** Formats a document as XML. */
export function writeTree({ attributes, children, tag, text }: Tree): string {
  const said = [...attributes].map(([name, value]) => ` ${name}='${escaped(value)}'`).join("");
  return `<${tag}${said}>${escaped(text)}${children.map(writeTree).join("")}</${tag}>`;
}

/** Reports whether removal cannot mend the document, because it is for another processor or machine. */
export function errorIsOfAnotherPlatform({ place = "" }: SvirtError): boolean {
  return /\/os\/type\/@(?:arch|machine)$/.test(place);
}

/**
 * Removes all refused parts from the document and returns it. It removes an unknown attribute or element
 * alone. For any other refusal it removes the whole device or part of the domain, since a removed value would
 * get its default.
 */
export function mend(root: Tree, refusals: readonly SvirtError[]): Tree {
  // Resolves all places before any change, because places are numbered.
  const changes = refusals.flatMap((refusal) => changeFor(root, refusal) ?? []);
  for (const change of changes) change();
  return root;
}

function changeFor(root: Tree, { message, place = "" }: SvirtError): (() => void) | undefined {
  const all = place.split("/").slice(2);
  const isUnknown = message.endsWith("svirt does not know it");
  const steps = isUnknown ? all : all.slice(0, all[0] === "devices" ? 2 : 1);
  const elements = steps.filter((step) => !step.startsWith("@") && step !== "text()");
  const [node = root, parent] = elements.reduce(stepInto, [root]);
  const last = steps.at(-1) ?? "";
  if (last === "text()")
    return () => {
      node.text = "";
    };
  if (node.attributes.has(last.slice(1))) return () => void node.attributes.delete(last.slice(1));
  return parent && ((): void => void parent.children.splice(parent.children.indexOf(node), 1));
}

/** Returns the element of a step, followed by its ancestors. Returns `path` if there is no such element. */
function stepInto(path: readonly Tree[], step: string): readonly Tree[] {
  const [, tag, number = "1"] = /^(.*?)(?:\[(\d+)\])?$/.exec(step) ?? [];
  const next = path[0]?.children.filter((child) => child.tag === tag)[Number(number) - 1];
  return next === undefined ? path : [next, ...path];
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("'", "&apos;");
}
