import { SvirtError } from "../../errors.ts";

/** A whole number that an operand or an option has. Throws "usage" in virsh's words. */
export function parseWhole(text: string, name: string, [least, most]: readonly [number, number]): number {
  if (/^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text);
  throw new SvirtError(`Numeric value '${text}' for <${name}> option is malformed or out of range`, {
    kind: "usage",
    remedy: `Give a whole number from ${least} to ${most}.`,
  });
}
