import { SvirtError } from "../errors.ts";

/** A whole number that is not negative. Throws "usage" in virsh's words. */
export function readNumber(name: string, text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new SvirtError(`Numeric value '${text}' for <${name}> option is malformed or out of range`, {
    kind: "usage",
    remedy: "Write a whole number.",
  });
}
