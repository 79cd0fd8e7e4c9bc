import { SvirtError } from "../../errors.ts";

/** Parses the whole number of an operand or option. Throws "usage" with virsh's message. */
export function parseWhole(text: string, name: string, [least, most]: readonly [number, number]): number {
  if (/^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text);
  throw new SvirtError(`Numeric value '${text}' for <${name}> option is malformed or out of range`, {
    kind: "usage",
    remedy: `Give a whole number from ${least} to ${most}.`,
  });
}
