import type { Policy } from "./built-policy.ts";
import { formatRight, isUseOf, type OurRight } from "./needed.ts";

/** In which tests, by their titles, each right of ours was used. By formatRight(). */
export type Uses = ReadonlyMap<string, readonly string[]>;

/** Reads what collect.awk prints, "DOMAIN TYPE CLASS PERMISSION TITLE". What was used before the first test has no title. */
export function readUses(
  { policy, rights }: { readonly policy: Policy; readonly rights: readonly OurRight[] },
  text: string,
): Uses {
  const uses = new Map<string, readonly string[]>();
  for (const line of text.split("\n").filter((one) => one !== "")) {
    const [source = "", target = "", tclass = "", permission = "", ...title] = line.split(" ");
    const used = { source, target, tclass, permission };
    for (const right of rights.filter((one) => isUseOf(policy, used, one))) {
      const key = formatRight(right);
      uses.set(key, [...(uses.get(key) ?? []), title.join(" ")]);
    }
  }
  return uses;
}
