import { childrenOf, lineAt, parseSource, type SyntaxNode } from "./mutants.ts";

/** A statement, or the expression that an arrow function gives: run, or not. */
export interface Place {
  readonly start: number;
  readonly end: number;
  /** 0: the file as a whole, which tells only that it is read in. */
  readonly line: number;
}

/** A source file in which each place tells that it is run, and the places, by the number that they tell. */
export interface Instrumented {
  readonly text: string;
  readonly places: readonly Place[];
}

/** `seen` is the module that takes the numbers; `first` is the number of the file's first place. */
export function instrument(file: string, text: string, { first, seen }: Numbering): Instrumented {
  // The file as a whole: an exported constant lies in no statement.
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

/** What stands before and after a place so that it makes the call. */
type Wrap = (call: string) => readonly [string, string];

function wrapFor(node: SyntaxNode, child: SyntaxNode): Wrap | undefined {
  const isArrow = node.type === "ArrowFunctionExpression" && child === node["body"];
  if (isArrow && child.type !== "BlockStatement") return (call) => [`(${call}, (`, "))"];
  if (isStatement(node, child)) return (call) => [`{ ${call}; `, " }"];
  return isInList(node, child) ? (call) => [`${call}; `, ""] : undefined;
}

/** Of a list of statements. Declarations are not run where they stand, or must stay first. */
function isInList(parent: SyntaxNode, child: SyntaxNode): boolean {
  const isList =
    parent.type === "BlockStatement" || parent.type === "Program" || parent.type === "SwitchCase";
  if (!isList || child === parent["test"]) return false;
  return /Statement$/.test(child.type) || child.type === "VariableDeclaration";
}

/** The one statement of an if or a loop that has no braces. */
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
