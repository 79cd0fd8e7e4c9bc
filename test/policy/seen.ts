import type { Policy } from "./built-policy.ts";
import { formatRight, isGivenUse, isUseOf, type OurRight } from "./needed.ts";

/**
 * Titles of the tests in which a right of svirt was used that nothing else allows. Keys are by formatRight().
 */
export type Uses = ReadonlyMap<string, readonly string[]>;

/**
 * Reads the output of collect.awk, "DOMAIN TYPE CLASS PERMISSION TITLE". `bare` is the policy without svirt's
 * rights. Uses before the first test have an empty title.
 */
export function readUses(
  { bare, rights }: { readonly bare: Policy; readonly rights: readonly OurRight[] },
  text: string,
): Uses {
  const uses = new Map<string, readonly string[]>();
  for (const line of text.split("\n").filter((one) => one !== "")) {
    const [source = "", target = "", tclass = "", permission = "", ...title] = line.split(" ");
    const used = { source, target, tclass, permission };
    const [right, ...others] = rights.filter((one) => isUseOf(bare, used, one));
    if (right === undefined || others.length > 0 || isGivenUse(bare, used)) continue;
    const key = formatRight(right);
    uses.set(key, [...(uses.get(key) ?? []), title.join(" ")]);
  }
  return uses;
}
