/** List in CIL, or one of its words. */
type Node = string | readonly Node[];

/** Rule of a module: `(allow source target (class (permissions)))`. */
export interface OurRule {
  readonly source: string;
  readonly target: string;
  readonly tclass: string;
  readonly permissions: readonly string[];
}

/**
 * Returns the rules of a module. Throws for a form of `allow` that svirt's modules do not use.
 * https://github.com/SELinuxProject/selinux secilc/docs
 */
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

/**
 * Returns the attributes that a module fills with a plain list. A binary policy lacks those without a
 * remaining rule.
 */
export function attributesIn(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const attributes = new Map<string, Set<string>>();
  for (const [word, name, members] of parseCil(text)) {
    if (word !== "typeattributeset" || typeof name !== "string" || !isWords(members)) continue;
    if (["and", "or", "not"].includes(members[0] ?? "")) continue;
    attributes.set(name, new Set([...(attributes.get(name) ?? []), ...members]));
  }
  return attributes;
}

/** Rule `(typetransition source parent class "name" type)`. */
export interface NamedTransition {
  readonly source: string;
  readonly parent: string;
  readonly tclass: string;
  readonly name: string;
  readonly type: string;
}

/** Returns a module's rules about files created with a certain name. */
export function namedTransitionsIn(text: string): readonly NamedTransition[] {
  return parseCil(text).flatMap((statement) => {
    if (!isWords(statement) || statement[0] !== "typetransition" || statement.length !== 6) return [];
    const [, source = "", parent = "", tclass = "", name = "", type = ""] = statement;
    return [{ source, parent, tclass, name: name.replaceAll('"', ""), type }];
  });
}

/** Returns the module without its allow rules. */
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

/** Parses CIL. A comment begins with ";"; words and quotes are kept. Throws if brackets do not match. */
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
