import { parseSync } from "oxc-parser";

/** Node of the syntax tree, as far as this check reads it. */
interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** Name of a function that runs work while something is held. */
const BRACKET = /^with[A-Z]/;

/**
 * Lists functions of a source file that are named withX and take no work: they are brackets by name alone.
 */
export function listFalseBrackets(file: string, text: string): string[] {
  if (!/\bwith[A-Z]/.test(text)) return [];
  return functionsIn(parseSync(file, text).program as unknown as Node)
    .filter(({ name, parameters }) => BRACKET.test(name) && !parameters.some(takesWork))
    .map(({ name }) => `${file}: ${name}()`);
}

interface NamedFunction {
  readonly name: string;
  readonly parameters: readonly unknown[];
}

function functionsIn(value: unknown): readonly NamedFunction[] {
  if (Array.isArray(value)) return value.flatMap(functionsIn);
  if (!isNode(value)) return [];
  const inner = Object.values(value).flatMap(functionsIn);
  if (value.type === "FunctionDeclaration") return [...named(value["id"], value), ...inner];
  const init = value["init"];
  return value.type === "VariableDeclarator" && isNode(init) && init.type === "ArrowFunctionExpression"
    ? [...named(value["id"], init), ...inner]
    : inner;
}

function named(id: unknown, { params }: Node): readonly NamedFunction[] {
  if (!isNode(id) || typeof id["name"] !== "string") return [];
  return [{ name: id["name"], parameters: Array.isArray(params) ? params : [] }];
}

/** Reports whether a parameter's type is, or contains, that of a function. */
function takesWork(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(takesWork);
  if (!isNode(value)) return false;
  if (value.type === "TSFunctionType" || value.type === "TSMethodSignature") return true;
  return Object.values(value).some(takesWork);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value;
}
