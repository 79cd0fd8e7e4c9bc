import { shortened } from "../refusal.ts";

const XML = "http://www.w3.org/XML/1998/namespace";
const XMLNS = "http://www.w3.org/2000/xmlns/";
/** Invalid start of a name without its prefix. Namespaces in XML 1.0, NCName */
const NOT_A_START = /^(?:[-.0-9\u00b7\u203f\u2040]|[\u0300-\u036f]|$)/;

type Attributes = ReadonlyMap<string, string>;

/** Prefixes declared by the open elements, each with its namespaces, the innermost last. */
export class Prefixes {
  readonly #bound = new Map<string, string[]>();

  /** Adds the prefixes declared by an element, for the element and its content. */
  open(attributes: Attributes): void {
    for (const [name, uri] of attributes) {
      const prefix = prefixDeclared(name);
      if (prefix === undefined) continue;
      const uris = this.#bound.get(prefix);
      if (uris === undefined) this.#bound.set(prefix, [uri]);
      else uris.push(uri);
    }
  }

  close(attributes: Attributes): void {
    for (const name of attributes.keys()) {
      const prefix = prefixDeclared(name);
      if (prefix !== undefined) this.#bound.get(prefix)?.pop();
    }
  }

  /** Returns the fault of an open element by Namespaces in XML 1.0; undefined: none. */
  findFault(tag: string, attributes: Attributes): string | undefined {
    if (tag.startsWith("xmlns:")) return "an element must not have the prefix xmlns";
    for (const name of [tag, ...attributes.keys()]) {
      const fault = name.includes(":") ? this.#faultOfName(name) : undefined;
      if (fault !== undefined) return fault;
    }
    for (const [name, uri] of attributes) {
      const fault = name.startsWith("xmlns") ? faultOfDeclaration(name, uri) : undefined;
      if (fault !== undefined) return fault;
    }
    return this.#findTwice(attributes);
  }

  #faultOfName(name: string): string | undefined {
    const [prefix = "", local = "", ...rest] = name.split(":");
    if (rest.length > 0 || NOT_A_START.test(local))
      return "a name must have at most one prefix, followed by a name";
    if (prefix === "xmlns" || this.#namespaceOf(prefix) !== undefined) return undefined;
    return "the prefix of a name is not declared";
  }

  #namespaceOf(prefix: string): string | undefined {
    return prefix === "xml" ? XML : this.#bound.get(prefix)?.at(-1);
  }

  /**
   * Finds an attribute with two prefixes of one namespace. An attribute without a prefix has no namespace.
   */
  #findTwice(attributes: Attributes): string | undefined {
    const found = new Set<string>();
    for (const name of attributes.keys()) {
      const [prefix = "", local] = name.split(":");
      if (local === undefined || prefix === "xmlns") continue;
      const whole = `${local} ${this.#namespaceOf(prefix)}`;
      if (found.has(whole)) return `the attribute ${shortened(local, 40)} occurs twice, with two prefixes`;
      found.add(whole);
    }
    return undefined;
  }
}

/** Returns the prefix declared by an attribute, if any. */
function prefixDeclared(name: string): string | undefined {
  return name.startsWith("xmlns:") ? name.slice("xmlns:".length) : undefined;
}

// Namespaces in XML 1.0, 3: Reserved Prefixes and Namespace Names; 5.1: No Prefix Undeclaring
function faultOfDeclaration(name: string, uri: string): string | undefined {
  const prefix = name === "xmlns" ? "" : prefixDeclared(name);
  if (prefix === undefined) return undefined;
  if (prefix === "xmlns") return "the prefix xmlns must not be declared";
  if (prefix !== "" && uri === "")
    return `the prefix ${shortened(prefix, 40)} is declared without a namespace`;
  if (uri === XMLNS || (prefix === "xml") !== (uri === XML))
    return "the prefixes xml and xmlns are reserved for their namespaces";
  return undefined;
}
