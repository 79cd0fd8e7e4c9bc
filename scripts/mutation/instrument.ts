import { childrenOf, lineAt, parseSource, type SyntaxNode } from "./mutants.ts";

/** Statement, or the expression that an arrow function returns: run, or not. */
export interface Place {
  readonly start: number;
  readonly end: number;
  /** 0: the whole file; it counts as run once the file is loaded. */
  readonly line: number;
}

/** Source file in which each place reports that it is run, and the places, in the order of their numbers. */
export interface Instrumented {
  readonly text: string;
  readonly places: readonly Place[];
}

/**
 * Instruments a file. `seen` names the module that records the numbers; `first` is the number of the file's
 * first place.
 */
export function instrument(file: string, text: string, { first, seen }: Numbering): Instrumented {
  // The whole file is a place, because an exported constant is in no statement.
  const places: Place[] = [{ start: 0, end: text.length, line: 0 }];
  const inserts: { readonly at: number; readonly text: string }[] = [];
  const add = ({ end, start }: SyntaxNode, wrap: Wrap): void => {
    const [before, after] = wrap(`__seen(${first + places.length})`);
    places.push({ start, end, line: lineAt(text, start) });
    inserts.push({ at: start, text: before });
    if (after !== "") inserts.push({ at: end, text: after });
  };
  const visit = (node: SyntaxNode): void => {
    if (node.type.startsWith("TS")) return;
    for (const child of childrenOf(node)) {
      const wrap = wrapFor(node, child);
      if (wrap !== undefined) add(child, wrap);
      visit(child);
    }
  };
  visit(parseSource(file, text));
  const begin = `import { seen as __seen } from ${JSON.stringify(seen)};__seen(${first});`;
  return { text: begin + splice(text, inserts), places };
}

interface Numbering {
  readonly first: number;
  readonly seen: string;
}

/** Returns the text before and after a place that makes the call. */
type Wrap = (call: string) => readonly [string, string];

function wrapFor(node: SyntaxNode, child: SyntaxNode): Wrap | undefined {
  const isArrow = node.type === "ArrowFunctionExpression" && child === node["body"];
  if (isArrow && child.type !== "BlockStatement") return (call) => [`(${call}, (`, "))"];
  if (isStatement(node, child)) return (call) => [`{ ${call}; `, " }"];
  return isInList(node, child) ? (call) => [`${call}; `, ""] : undefined;
}

/**
 * Reports whether a child is in a list of statements. Declarations are not run in place, or must stay first.
 */
function isInList(parent: SyntaxNode, child: SyntaxNode): boolean {
  const isList =
    parent.type === "BlockStatement" || parent.type === "Program" || parent.type === "SwitchCase";
  if (!isList || child === parent["test"]) return false;
  return /Statement$/.test(child.type) || child.type === "VariableDeclaration";
}

/** Reports whether a child is the single statement of an if or a loop without braces. */
function isStatement(parent: SyntaxNode, child: SyntaxNode): boolean {
  if (child.type === "BlockStatement") return false;
  const isBranch =
    parent.type === "IfStatement" && (child === parent["consequent"] || child === parent["alternate"]);
  const isLoop = /^(?:For|While|Do)/.test(parent.type) && child === parent["body"];
  return isBranch || isLoop;
}

function splice(text: string, inserts: readonly { readonly at: number; readonly text: string }[]): string {
  let [done, out] = [0, ""];
  for (const insert of inserts.toSorted((a, b) => a.at - b.at)) {
    out += text.slice(done, insert.at) + insert.text;
    done = insert.at;
  }
  return out + text.slice(done);
}
