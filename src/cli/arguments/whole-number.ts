import { SvirtError } from "../../errors.ts";

/** Parses the whole number of an operand or option. Throws "usage" with virsh's message. */
export function parseWhole(text: string, name: string, [least, most]: readonly [number, number]): number {
  if (/^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text);
  throw new SvirtError(`Numeric value '${text}' for <${name}> option is malformed or out of range`, {
    kind: "usage",
    remedy: `Give a whole number from ${least} to ${most}.`,
  });
}

/** Largest int of C. */
const MOST_INT = 2_147_483_647;

/** Parses the int of an option, possibly negative. Throws as parseWhole(). */
export function parseInt32(text: string, name: string): number {
  const isNegative = text.startsWith("-");
  const size = parseWhole(isNegative ? text.slice(1) : text, name, [0, MOST_INT]);
  return isNegative ? -size : size;
}
