import { SvirtError } from "../errors.ts";
import type { Call } from "./command.ts";

/** virsh's list of what can be set: `hard_limit     : unlimited`. */
export function formatParameters(parameters: readonly (readonly [name: string, value: string])[]): string {
  return `${parameters.map(([name, value]) => `${name.padEnd(15)}: ${value}\n`).join("")}\n`;
}

/** A whole number that an option gives; undefined without the option. Throws "usage" in virsh's words. */
export function numberOption({ options }: Call, name: string): number | undefined {
  return numberOf(name, options.get(name));
}

/** The same of an operand. */
export function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw new SvirtError(`Numeric value '${text}' for <${name}> option is malformed or out of range`, {
    kind: "usage",
    remedy: "Write a whole number.",
  });
}
