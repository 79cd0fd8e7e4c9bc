/** A list in CIL, or one of its words. */
type Node = string | readonly Node[];

/** `(allow source target (class (permissions)))`, as a module has it. */
export interface OurRule {
  readonly source: string;
  readonly target: string;
  readonly tclass: string;
  readonly permissions: readonly string[];
}

/** What a module allows. Throws for a form of `allow` that ours have not. https://github.com/SELinuxProject/selinux secilc/docs */
export function allowsIn(text: string): readonly OurRule[] {
  return parseCil(text).flatMap((statement) => {
    if (typeof statement === "string" || statement[0] !== "allow") return [];
    const [, source, target, what] = statement;
    const [tclass, permissions] = Array.isArray(what) ? what : [];
    if (!isWords([source, target, tclass]) || !isWords(permissions))
      throw new Error(
        `Cannot read (allow ${String(source)} ${String(target)} ...): not (class (permissions))`,
      );
    return [
      {
        source: String(source),
        target: String(target),
        tclass: String(tclass),
        permissions: [...permissions],
      },
    ];
  });
}

/** The attributes that it fills with a plain list; a binary policy has not those of which no rule is left. */
export function attributesIn(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const attributes = new Map<string, Set<string>>();
  for (const [word, name, members] of parseCil(text)) {
    if (word !== "typeattributeset" || typeof name !== "string" || !isWords(members)) continue;
    if (["and", "or", "not"].includes(members[0] ?? "")) continue;
    attributes.set(name, new Set([...(attributes.get(name) ?? []), ...members]));
  }
  return attributes;
}

/** `(typetransition source parent class "name" type)` */
export interface NamedTransition {
  readonly source: string;
  readonly parent: string;
  readonly tclass: string;
  readonly name: string;
  readonly type: string;
}

/** What a module says of files that are made with a certain name. */
export function namedTransitionsIn(text: string): readonly NamedTransition[] {
  return parseCil(text).flatMap((statement) => {
    if (!isWords(statement) || statement[0] !== "typetransition" || statement.length !== 6) return [];
    const [, source = "", parent = "", tclass = "", name = "", type = ""] = statement;
    return [{ source, parent, tclass, name: name.replaceAll('"', ""), type }];
  });
}

/** The module without what it allows. */
export function withoutAllows(text: string): string {
  return parseCil(text)
    .filter((statement) => typeof statement === "string" || statement[0] !== "allow")
    .map(formatNode)
    .join("\n");
}

function formatNode(node: Node): string {
  return typeof node === "string" ? node : `(${node.map(formatNode).join(" ")})`;
}

function isWords(node: unknown): node is readonly string[] {
  return Array.isArray(node) && node.every((word) => typeof word === "string");
}

/** Comments begin with ";", words are kept as they are, quotes too. Throws when brackets do not match. */
function parseCil(text: string): readonly Node[] {
  const tokens = text.replace(/;.*$/gm, "").match(/[()]|"[^"]*"|[^\s()"]+/g) ?? [];
  const open: Node[][] = [[]];
  for (const token of tokens) {
    if (token === "(") {
      open.push([]);
      continue;
    }
    const node = token === ")" ? closed(open) : token;
    innermost(open).push(node);
  }
  if (open.length !== 1) throw new Error("Cannot read CIL: a ) is missing");
  return innermost(open);
}

function closed(open: Node[][]): Node {
  const list = open.pop();
  if (list === undefined || open.length === 0) throw new Error("Cannot read CIL: a ) too many");
  return list;
}

function innermost(open: readonly Node[][]): Node[] {
  return open.at(-1) ?? [];
}
