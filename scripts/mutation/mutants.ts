import { parseSync } from "oxc-parser";

/** Small change of a source file: `replacement` for the characters from `start` to `end`. */
export interface Mutant {
  /** Path below the checkout. */
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly line: number;
  readonly original: string;
  readonly replacement: string;
}

/** Node of the syntax tree in ESTree's form. https://github.com/estree/estree */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

/** Parses TypeScript. Throws an error that names the file. */
export function parseSource(file: string, text: string): SyntaxNode {
  const { errors, program } = parseSync(file, text);
  const [first] = errors;
  if (first !== undefined) throw new Error(`Cannot parse ${file}: ${first.message}`);
  return program as unknown as SyntaxNode;
}

/** Returns every child node, in the order of the fields; omits types, which have no effect at run time. */
export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  return Object.values(node)
    .flatMap((value) => (Array.isArray(value) ? value : [value]))
    .filter((value): value is SyntaxNode => isNode(value) && !value.type.startsWith("TSType"));
}

/** Returns the line of a position, counted from 1. */
export function lineAt(text: string, position: number): number {
  return text.slice(0, position).split("\n").length;
}

/** Lists all possible changes of a file. */
export function listMutants(file: string, text: string): Mutant[] {
  const found: Mutant[] = [];
  const visit = (node: SyntaxNode): void => {
    if (WITHOUT_EFFECT.has(node.type)) return;
    for (const { end, replacement, start } of changesOf(node, text)) {
      const original = text.slice(start, end);
      if (original !== replacement) {
        found.push({ file, start, end, line: lineAt(text, start), original, replacement });
      }
    }
    for (const child of childrenOf(node)) visit(child);
  };
  visit(parseSource(file, text));
  return found;
}

interface Change {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  "ImportDeclaration",
  "TSInterfaceDeclaration",
  "TSTypeAliasDeclaration",
  "ExportAllDeclaration",
]);

const OTHER_OPERATOR: ReadonlyMap<string, string> = new Map([
  ["===", "!=="],
  ["!==", "==="],
  ["<", "<="],
  ["<=", "<"],
  [">", ">="],
  [">=", ">"],
  ["&&", "||"],
  ["||", "&&"],
  ["??", "&&"],
  ["+", "-"],
  ["-", "+"],
  ["*", "/"],
  ["/", "*"],
  ["%", "*"],
  ["&", "|"],
  ["|", "&"],
  ["^", "&"],
  ["<<", ">>"],
  [">>", "<<"],
  [">>>", "<<"],
]);

function changesOf(node: SyntaxNode, text: string): Change[] {
  const whole = (replacement: string): Change => ({ start: node.start, end: node.end, replacement });
  switch (node.type) {
    case "BinaryExpression":
    case "LogicalExpression":
      return changeOperator(node, text);
    case "Literal":
      return literalChanges(node).map(whole);
    case "TemplateLiteral":
      return isProse(text.slice(node.start, node.end)) ? [] : [whole('""')];
    case "UnaryExpression":
      return node["operator"] === "!" ? [whole(sourceOf(node["argument"], text))] : [];
    case "ConditionalExpression":
    case "IfStatement":
    case "WhileStatement":
      return conditionChanges(node["test"]);
    case "ExpressionStatement":
      return [whole(";")];
    case "ThrowStatement":
      return [whole("return undefined as never;")];
    case "ReturnStatement":
      return givesSomething(node["argument"]) ? [whole("return undefined as never;")] : [];
    case "ContinueStatement":
    case "BreakStatement":
      return [whole(";")];
    case "ArrayExpression":
      return elementChanges(node["elements"], text);
    case "ObjectExpression":
      return elementChanges(node["properties"], text);
    default:
      return [];
  }
}

function changeOperator(node: SyntaxNode, text: string): Change[] {
  const [left, right] = [node["left"], node["right"]];
  const other = OTHER_OPERATOR.get(String(node["operator"]));
  if (!isNode(left) || !isNode(right) || other === undefined) return [];
  const between = text.slice(left.end, right.start);
  const at = left.end + between.indexOf(String(node["operator"]));
  return [{ start: at, end: at + String(node["operator"]).length, replacement: other }];
}

function literalChanges(node: SyntaxNode): string[] {
  const value = node["value"];
  switch (typeof value) {
    case "boolean":
      return [String(!value)];
    case "number":
      return [String(value + 1)];
    case "string":
      if (isProse(value)) return [];
      return [value === "" ? '"mutant"' : '""'];
    default:
      return [];
  }
}

function givesSomething(argument: unknown): boolean {
  return isNode(argument) && argument["name"] !== "undefined";
}

/** Reports whether a text is a sentence for a person: changing it cannot weaken isolation. */
function isProse(text: string): boolean {
  return /[a-z,:] [a-z<$]/i.test(text);
}

function conditionChanges(test: unknown): Change[] {
  if (!isNode(test)) return [];
  const { end, start } = test;
  return ["true", "false"].map((replacement) => ({ start, end, replacement }));
}

/** Returns the removals of one element each. */
function elementChanges(elements: unknown, text: string): Change[] {
  if (!Array.isArray(elements)) return [];
  return elements.filter(isNode).map(({ end, start }) => {
    const comma = /^\s*,/.exec(text.slice(end))?.[0].length ?? 0;
    return { start, end: end + comma, replacement: "" };
  });
}

function sourceOf(node: unknown, text: string): string {
  return isNode(node) ? text.slice(node.start, node.end) : "";
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}
