import type { Policy } from "./built-policy.ts";
import { formatRight, isGivenUse, isUseOf, type OurRight } from "./needed.ts";

/** In which tests, by their titles, something used a right of ours and nothing else that allows it. By formatRight(). */
export type Uses = ReadonlyMap<string, readonly string[]>;

/**
 * Reads what collect.awk prints, "DOMAIN TYPE CLASS PERMISSION TITLE". `bare` is the policy without our rights. What was used
 * before the first test has an empty title.
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
