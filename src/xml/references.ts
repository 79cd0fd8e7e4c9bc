/** Entities of XML itself; a document's own entities are refused with its DOCTYPE. XML 1.0, 4.6 */
const PREDEFINED: ReadonlyMap<string, string> = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["apos", "'"],
  ["quot", '"'],
]);

const REFERENCE = /&(?:#x([0-9a-fA-F]{1,6});|#([0-9]{1,7});|([a-z]{2,4});)?/y;
/**
 * Characters that are resolved at a time: a text of only references would take a hundred times its length in
 * parts.
 */
const AT_ONCE = 16_384;

/**
 * Returns a text with its references resolved, or the offset of the first `&` without a reference. XML 1.0,
 * 4.1
 */
export function resolveReferences(text: string): string | { readonly badAt: number } {
  if (!text.includes("&")) return text;
  const done: string[] = [];
  for (let at = 0; at < text.length; ) {
    const part = resolvePart(text, at);
    if (typeof part.resolved !== "string") return part.resolved;
    done.push(part.resolved);
    at = part.to;
  }
  return done.join("");
}

/** Resolves about AT_ONCE characters from an offset. Returns their text, and the offset after them. */
function resolvePart(
  text: string,
  from: number,
): { readonly resolved: string | { readonly badAt: number }; readonly to: number } {
  const parts: string[] = [];
  let at = from;
  while (at < text.length && at - from < AT_ONCE) {
    const next = text.indexOf("&", at);
    const end = next === -1 ? text.length : next;
    parts.push(text.slice(at, end));
    if (next === -1) return { resolved: parts.join(""), to: end };
    const found = resolveOne(text, next);
    if (found === undefined) return { resolved: { badAt: next }, to: next };
    parts.push(found.character);
    at = found.to;
  }
  return { resolved: parts.join(""), to: at };
}

/** Resolves the reference at an offset. Returns undefined for an `&` that begins none. */
function resolveOne(
  text: string,
  at: number,
): { readonly character: string; readonly to: number } | undefined {
  REFERENCE.lastIndex = at;
  const [all = "", hex, decimal, name] = REFERENCE.exec(text) ?? [];
  const character = name === undefined ? fromCode(hex, decimal) : PREDEFINED.get(name);
  return character === undefined ? undefined : { character, to: at + all.length };
}

/**
 * Resolves an attribute's value. White space becomes a blank, unless it comes from a reference. XML 1.0,
 * 3.3.3
 */
export function resolveValue(raw: string): string | { readonly badAt: number } {
  return resolveReferences(/[\t\n]/.test(raw) ? raw.replaceAll(/[\t\n]/g, " ") : raw);
}

function fromCode(hex: string | undefined, decimal: string | undefined): string | undefined {
  const code = hex === undefined ? Number.parseInt(decimal ?? "", 10) : Number.parseInt(hex, 16);
  return isCharacter(code) ? String.fromCodePoint(code) : undefined;
}

// XML 1.0, 2.2
function isCharacter(code: number): boolean {
  if (code < 0x20) return code === 0x9 || code === 0xa || code === 0xd;
  return code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff);
}
