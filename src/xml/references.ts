/** Entities of XML itself; a document's own entities are refused with its DOCTYPE. XML 1.0, 4.6 */
const PREDEFINED: ReadonlyMap<string, string> = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["apos", "'"],
  ["quot", '"'],
]);

const REFERENCE = /&(?:#x([0-9a-fA-F]{1,6});|#([0-9]{1,7});|([a-z]{2,4});)?/g;

/** Returns a text with its references resolved, or the offset of the first `&` that begins none. XML 1.0, 4.1 */
export function resolveReferences(text: string): string | { readonly badAt: number } {
  if (!text.includes("&")) return text;
  let badAt: number | undefined;
  const resolved = text.replace(REFERENCE, (...[all, hex, decimal, name, offset]) => {
    const character = name === undefined ? fromCode(hex, decimal) : PREDEFINED.get(name);
    if (character === undefined) badAt ??= offset;
    return character ?? all;
  });
  return badAt === undefined ? resolved : { badAt };
}

/** Resolves an attribute's value. White space becomes a blank, unless it comes from a reference. XML 1.0, 3.3.3 */
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
