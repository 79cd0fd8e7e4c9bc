import { isBlank, type XmlNode } from "../node.ts";
import { type Axis, type Expression, type Operator, parseXPath, refused, type Step } from "./expression.ts";

/** Node of a document that an expression selects. */
export type Selected =
  | { readonly is: "element"; readonly element: XmlNode }
  | { readonly is: "attribute"; readonly element: XmlNode; readonly name: string }
  | { readonly is: "text"; readonly element: XmlNode };

/** The document itself is the parent of its root. */
type Node = Selected | { readonly is: "document"; readonly element: XmlNode };
type Value = string | number | boolean | readonly Node[];

/** Node with its place among those that a step has found. */
interface Context {
  readonly node: Node;
  readonly position: number;
  readonly size: number;
}

/**
 * Returns the nodes that an expression selects in a document, in its order; the root element for the document itself. A relative path begins at the root element. Throws "usage" for an
 * expression of another type, or one that is not implemented. virXPathNodeSet() of libvirt
 */
export function selectNodes(root: XmlNode, text: string): readonly Selected[] {
  const evaluator = new Evaluator(root);
  const value = evaluator.evaluate(parseXPath(text), { node: elementNode(root), position: 1, size: 1 });
  if (typeof value !== "object") throw refused(text, "it is no set of nodes");
  return value.map((node) => (node.is === "document" ? { is: "element", element: root } : node));
}

class Evaluator {
  readonly #root: XmlNode;
  /** Places in the document's order, which are computed once. */
  #places: Map<XmlNode, number> | undefined;

  constructor(root: XmlNode) {
    this.#root = root;
  }

  evaluate(expression: Expression, context: Context): Value {
    switch (expression.is) {
      case "literal":
        return expression.value;
      case "operation":
        return this.#operate(expression, context);
      case "call":
        return this.#call(expression.name, expression.args, context);
      case "filter":
        return this.#filter(nodesOf(this.evaluate(expression.of, context)), expression.predicates);
      case "path":
        return this.#walk(expression, context);
    }
  }

  #operate({ operator, sides }: Extract<Expression, { is: "operation" }>, context: Context): Value {
    const [left, right] = sides;
    const first = this.evaluate(left, context);
    if (operator === "or") return asBoolean(first) || asBoolean(this.evaluate(right, context));
    if (operator === "and") return asBoolean(first) && asBoolean(this.evaluate(right, context));
    const second = this.evaluate(right, context);
    if (operator === "|") return this.#inOrder([...nodesOf(first), ...nodesOf(second)]);
    return compare(operator, first, second);
  }

  #call(name: string, args: readonly Expression[], context: Context): Value {
    const [first = "", second = ""] = args.map((arg) => this.evaluate(arg, context));
    switch (name) {
      case "position":
        return context.position;
      case "last":
        return context.size;
      case "not":
        return !asBoolean(first);
      case "count":
        return nodesOf(first).length;
      case "contains":
        return asText(first).includes(asText(second));
      default:
        return asText(first).startsWith(asText(second));
    }
  }

  #walk({ from, steps }: Extract<Expression, { is: "path" }>, context: Context): readonly Node[] {
    let nodes: readonly Node[] = [context.node];
    if (from === "root") nodes = [{ is: "document", element: this.#root }];
    else if (from !== undefined) nodes = nodesOf(this.evaluate(from, context));
    for (const step of steps) nodes = this.#inOrder(nodes.flatMap((node) => this.#take(node, step)));
    return nodes;
  }

  #take(node: Node, { axis, predicates, test }: Step): readonly Node[] {
    return this.#filter(
      nodesOn(axis, node).filter((found) => isOf(found, axis, test)),
      predicates,
    );
  }

  #filter(nodes: readonly Node[], predicates: readonly Expression[]): readonly Node[] {
    let left = nodes;
    for (const predicate of predicates) {
      const size = left.length;
      left = left.filter((node, at) => {
        const value = this.evaluate(predicate, { node, position: at + 1, size });
        return typeof value === "number" ? value === at + 1 : asBoolean(value);
      });
    }
    return left;
  }

  /** Sorts nodes by their places in the document, each once. */
  #inOrder(nodes: readonly Node[]): readonly Node[] {
    if (nodes.length < 2) return nodes;
    this.#places ??= new Map(descendants(this.#root, true).map((element, at) => [element, at]));
    const places = this.#places;
    const keyed = new Map<string, Node>();
    for (const node of nodes) keyed.set(`${places.get(node.element)} ${partOf(node)}`, node);
    return [...keyed.values()].toSorted(
      (one, other) =>
        (places.get(one.element) ?? 0) - (places.get(other.element) ?? 0) || partRank(one) - partRank(other),
    );
  }
}

function elementNode(element: XmlNode): Node {
  return { is: "element", element };
}

function partOf(node: Node): string {
  return node.is === "attribute" ? `@${node.name}` : node.is;
}

/** Order of an element's own nodes: itself, its attributes, its text. */
function partRank(node: Node): number {
  switch (node.is) {
    case "document":
      return -1;
    case "element":
      return 0;
    case "attribute":
      return 1 + [...node.element.attributes.keys()].indexOf(node.name);
    case "text":
      return node.element.attributes.size + 1;
  }
}

function nodesOn(axis: Axis, node: Node): readonly Node[] {
  switch (axis) {
    case "child":
      return childrenOf(node);
    case "self":
      return [node];
    case "descendant":
      return childrenOf(node).flatMap((child) => [child, ...nodesOn("descendant", child)]);
    case "descendant-or-self":
      return [node, ...nodesOn("descendant", node)];
    case "parent":
      return parentOf(node);
    case "ancestor":
      return parentOf(node).flatMap((parent) => [parent, ...nodesOn("ancestor", parent)]);
    case "attribute":
      return node.is === "element" ? attributesOf(node.element) : [];
  }
}

/** Declarations of namespaces are no attributes. XPath 1.0, 5.3 */
function attributesOf(element: XmlNode): readonly Node[] {
  return [...element.attributes.keys()]
    .filter((name) => !/^xmlns(?::|$)/.test(name))
    .map((name) => ({ is: "attribute", element, name }));
}

function childrenOf({ element, is }: Node): readonly Node[] {
  if (is === "document") return [elementNode(element)];
  if (is !== "element") return [];
  const text: readonly Node[] = isBlank(element.text) ? [] : [{ is: "text", element }];
  return [...text, ...element.children.map(elementNode)];
}

function parentOf(node: Node): readonly Node[] {
  if (node.is === "document") return [];
  if (node.is !== "element") return [elementNode(node.element)];
  const { parent } = node.element;
  return [parent === undefined ? { is: "document", element: node.element } : elementNode(parent)];
}

/** Whether a node passes a step's test. A name without a prefix is that of no node with one. */
function isOf(node: Node, axis: Axis, test: string): boolean {
  if (test === "node()") return true;
  if (test === "text()") return node.is === "text";
  if (node.is === "attribute") return axis === "attribute" && (test === "*" || node.name === test);
  return node.is === "element" && (test === "*" || node.element.tag === test);
}

function descendants(element: XmlNode, isItself: boolean): XmlNode[] {
  const below = element.children.flatMap((child) => descendants(child, true));
  return isItself ? [element, ...below] : below;
}

function nodesOf(value: Value): readonly Node[] {
  if (typeof value === "object") return value;
  throw refused(String(value), "it is no set of nodes");
}

function textOf(node: Node): string {
  const { element } = node;
  if (node.is === "attribute") return element.attributes.get(node.name) ?? "";
  if (node.is === "text") return element.text;
  return `${element.text}${element.children.map((child) => textOf(elementNode(child))).join("")}`;
}

function asText(value: Value): string {
  if (typeof value !== "object") return String(value);
  const [first] = value;
  return first === undefined ? "" : textOf(first);
}

function asNumber(value: Value): number {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  const text = asText(value).trim();
  return /^-?(?:\d+(?:\.\d*)?|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
}

function asBoolean(value: Value): boolean {
  if (typeof value === "object") return value.length > 0;
  return typeof value === "number" ? value !== 0 && !Number.isNaN(value) : value !== "" && value !== false;
}

/** Compares values; of a set of nodes, any node's text. XPath 1.0, 3.4 */
function compare(operator: Exclude<Operator, "or" | "and" | "|">, one: Value, other: Value): boolean {
  if (typeof one === "object" && typeof other !== "boolean")
    return one.some((node) => compare(operator, textOf(node), other));
  if (typeof other === "object" && typeof one !== "boolean")
    return other.some((node) => compare(operator, one, textOf(node)));
  switch (operator) {
    case "=":
      return isEqual(one, other);
    case "!=":
      return !isEqual(one, other);
    case "<":
      return asNumber(one) < asNumber(other);
    case "<=":
      return asNumber(one) <= asNumber(other);
    case ">":
      return asNumber(one) > asNumber(other);
    case ">=":
      return asNumber(one) >= asNumber(other);
  }
}

function isEqual(one: Value, other: Value): boolean {
  if (typeof one === "boolean" || typeof other === "boolean") return asBoolean(one) === asBoolean(other);
  if (typeof one === "number" || typeof other === "number") return asNumber(one) === asNumber(other);
  return asText(one) === asText(other);
}
