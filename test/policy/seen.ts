import type { Policy } from "./built-policy.ts";
import { formatRight, isUseOf, type OurRight } from "./needed.ts";
import type { RightTable } from "./right-table.ts";

/** What collect.awk prints: "granted SCENARIO DOMAIN TYPE CLASS PERMISSION"; a line of another kind is passed over. */
function parseSeen(text: string): readonly (OurRight & { readonly scenario: string })[] {
  return text.split("\n").flatMap((line) => {
    const [verdict, scenario, source, target, tclass, permission] = line.split(" ");
    if (verdict !== "granted" || scenario === "" || permission === undefined) return [];
    return [
      {
        scenario: scenario ?? "",
        source: source ?? "",
        target: target ?? "",
        tclass: tclass ?? "",
        permission,
      },
    ];
  });
}

/** The uses known before and what was seen now; the scenario that was first stays. */
export function addSeen(
  ours: { readonly policy: Policy; readonly rights: readonly OurRight[] },
  known: RightTable,
  seen: string,
): RightTable {
  const { policy, rights } = ours;
  const uses = new Map(known);
  for (const used of parseSeen(seen)) {
    for (const right of rights.filter((one) => isUseOf(policy, used, one))) {
      const key = formatRight(right);
      if (!uses.has(key)) uses.set(key, used.scenario);
    }
  }
  return uses;
}
