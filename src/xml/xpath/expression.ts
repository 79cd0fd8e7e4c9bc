import { SvirtError } from "../../errors.ts";

/** Axes of steps. XPath 1.0, 2.2 */
const AXES = [
  "child",
  "descendant",
  "descendant-or-self",
  "self",
  "parent",
  "ancestor",
  "attribute",
] as const;
export type Axis = (typeof AXES)[number];

/** Step of a path: from a node to others, of which the predicates select. */
export interface Step {
  readonly axis: Axis;
  /** A name, `*`, or a type of node. */
  readonly test: string;
  readonly predicates: readonly Expression[];
}

/** Operators by how closely they bind, the loosest first. */
const OPERATORS = [["or"], ["and"], ["=", "!="], ["<", "<=", ">", ">="], ["|"]] as const;
export type Operator = (typeof OPERATORS)[number][number];

/** Functions, with their numbers of arguments. XPath 1.0, 4 */
const FUNCTIONS: ReadonlyMap<string, number> = new Map([
  ["contains", 2],
  ["count", 1],
  ["last", 0],
  ["not", 1],
  ["position", 0],
  ["starts-with", 2],
]);

/** Expression of XPath 1.0, without arithmetic, variables and namespaces. */
export type Expression =
  | {
      readonly is: "operation";
      readonly operator: Operator;
      readonly sides: readonly [Expression, Expression];
    }
  | { readonly is: "literal"; readonly value: string | number }
  | { readonly is: "call"; readonly name: string; readonly args: readonly Expression[] }
  | { readonly is: "filter"; readonly of: Expression; readonly predicates: readonly Expression[] }
  /** `from`: where the path begins; undefined: at the current node. */
  | { readonly is: "path"; readonly from: "root" | Expression | undefined; readonly steps: readonly Step[] };

const TOKEN =
  /\s*(\/\/|\.\.|::|!=|<=|>=|[/@*.|=<>()[\],]|"[^"]*"|'[^']*'|\d+(?:\.\d*)?|[\p{L}_][\p{L}\p{N}_.-]*)/uy;
const MOST_CHARACTERS = 4096;
const MOST_DEPTH = 64;
const NODE_TYPES: ReadonlySet<string> = new Set(["node", "text"]);

/** Any descendant, or the node itself: what `//` stands for. */
const ANYWHERE: Step = { axis: "descendant-or-self", test: "node()", predicates: [] };

/** Parses an expression. Throws "usage" for what is none, or is not implemented. */
export function parseXPath(text: string): Expression {
  return new Parser(text).whole();
}

/** Tokens of an expression that are not read yet. */
class Parser {
  readonly #text: string;
  readonly #tokens: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = this.#split();
  }

  whole(): Expression {
    const found = this.#operation(0);
    if (this.#next !== undefined) throw this.#refusal();
    return found;
  }

  get #next(): string | undefined {
    return this.#tokens[this.#at];
  }

  #split(): string[] {
    const text = this.#text;
    if (text.length > MOST_CHARACTERS) throw refused(text, `it has more than ${MOST_CHARACTERS} characters`);
    const tokens: string[] = [];
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < text.trimEnd().length) {
      const at = TOKEN.lastIndex;
      const found = TOKEN.exec(text)?.[1];
      if (found === undefined)
        throw refused(text, `"${text.slice(at).trim().slice(0, 20)}" is not understood`);
      tokens.push(found);
    }
    return tokens;
  }

  #operation(level: number): Expression {
    const operators: readonly string[] | undefined = OPERATORS[level];
    if (operators === undefined) return this.#filtered();
    let left = this.#operation(level + 1);
    while (operators.includes(this.#next ?? "")) {
      const operator = this.#take() as Operator;
      left = { is: "operation", operator, sides: [left, this.#operation(level + 1)] };
    }
    return left;
  }

  #filtered(): Expression {
    const first = this.#primary();
    if (first === undefined) return this.#path(undefined);
    const predicates = this.#predicates();
    const of: Expression = predicates.length === 0 ? first : { is: "filter", of: first, predicates };
    return this.#next === "/" || this.#next === "//" ? this.#path(of) : of;
  }

  /** Reads what is no path; undefined for a path. */
  #primary(): Expression | undefined {
    const next = this.#next ?? "";
    if (this.#accept("(")) return this.#inside();
    if (/^["'\d]/.test(next)) {
      this.#take();
      return { is: "literal", value: /^\d/.test(next) ? Number(next) : next.slice(1, -1) };
    }
    const isCall = this.#tokens[this.#at + 1] === "(" && /^[\p{L}_]/u.test(next) && !NODE_TYPES.has(next);
    return isCall ? this.#call(this.#take()) : undefined;
  }

  #inside(): Expression {
    const found = this.#nested();
    this.#expect(")");
    return found;
  }

  #call(name: string): Expression {
    this.#expect("(");
    const args: Expression[] = [];
    while (!this.#accept(")")) {
      if (args.length > 0) this.#expect(",");
      args.push(this.#nested());
    }
    if (FUNCTIONS.get(name) === args.length) return { is: "call", name, args };
    throw refused(this.#text, `the function ${name}() with ${args.length} arguments is not implemented`);
  }

  #path(from: Expression | undefined): Expression {
    const steps: Step[] = [];
    const isAbsolute = from === undefined && (this.#next === "/" || this.#next === "//");
    if (this.#accept("//")) steps.push(ANYWHERE);
    else if (this.#accept("/") && isAbsolute && this.#isEnd()) return { is: "path", from: "root", steps };
    do {
      steps.push(this.#step());
      const isAnywhere = this.#next === "//";
      if (isAnywhere) steps.push(ANYWHERE);
    } while (this.#accept("/") || this.#accept("//"));
    return { is: "path", from: isAbsolute ? "root" : from, steps };
  }

  #isEnd(): boolean {
    return this.#next === undefined || /^[)\]|=!<>,]/.test(this.#next);
  }

  #step(): Step {
    if (this.#accept(".")) return { axis: "self", test: "node()", predicates: [] };
    if (this.#accept("..")) return { axis: "parent", test: "node()", predicates: [] };
    const axis = this.#axis();
    return { axis, test: this.#test(), predicates: this.#predicates() };
  }

  #axis(): Axis {
    if (this.#accept("@")) return "attribute";
    if (this.#tokens[this.#at + 1] !== "::") return "child";
    const name = this.#take();
    this.#expect("::");
    const axis = AXES.find((known) => known === name);
    if (axis !== undefined) return axis;
    throw refused(this.#text, `the axis ${name} is not implemented`);
  }

  #test(): string {
    const name = this.#take();
    if (NODE_TYPES.has(name) && this.#accept("(")) {
      this.#expect(")");
      return `${name}()`;
    }
    if (name === "*" || /^[\p{L}_]/u.test(name)) return name;
    this.#at -= 1;
    throw this.#refusal();
  }

  #predicates(): Expression[] {
    const found: Expression[] = [];
    while (this.#accept("[")) {
      found.push(this.#nested());
      this.#expect("]");
    }
    return found;
  }

  #nested(): Expression {
    this.#depth += 1;
    if (this.#depth > MOST_DEPTH)
      throw refused(this.#text, `it is nested more than ${MOST_DEPTH} levels deep`);
    const found = this.#operation(0);
    this.#depth -= 1;
    return found;
  }

  #accept(token: string): boolean {
    if (this.#next !== token) return false;
    this.#at += 1;
    return true;
  }

  #expect(token: string): void {
    if (!this.#accept(token)) throw this.#refusal();
  }

  #take(): string {
    const token = this.#next;
    if (token === undefined) throw this.#refusal();
    this.#at += 1;
    return token;
  }

  #refusal(): SvirtError {
    const next = this.#next;
    return refused(this.#text, next === undefined ? "it is incomplete" : `"${next}" is not expected there`);
  }
}

/** Returns the error of an expression that is not evaluated. Kind "usage". */
export function refused(text: string, why: string): SvirtError {
  return new SvirtError(`invalid xpath expression '${text.slice(0, 200)}': ${why}`, {
    kind: "usage",
    remedy: "Write a path such as //interface/mac/@address or //disk[@device='disk'][1].",
  });
}
