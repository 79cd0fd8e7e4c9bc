import { parseDomainText } from "../../domain/document.ts";
import type { Claim } from "../../plan/facts/step-parts.ts";
import { canonicalContext, parseContextOrUndefined } from "../../selinux/context.ts";
import { pairOf } from "../../selinux/level.ts";

/** Claims that only the new definition of a domain has, and claims that only the earlier definition had. */
interface ChangedClaims {
  readonly reserve: readonly Claim[];
  readonly release: readonly Claim[];
}

/** Compares the static levels of two definitions of a domain. A defined level is always claimed. */
export function changedClaims(earlier: string | undefined, xml: string): ChangedClaims {
  const [before, after] = [staticClaims(earlier), staticClaims(xml)];
  const without = (claims: readonly Claim[], others: readonly Claim[]): readonly Claim[] =>
    claims.filter((claim) => !others.some(({ key }) => key === claim.key));
  return { reserve: without(after, before), release: without(before, after) };
}

/** Returns the level of a static label. While it is defined, no guest with a dynamic label gets it. */
export function staticClaims(xml: string | undefined): Claim[] {
  if (xml === undefined || !xml.includes("type='static'")) return [];
  const domain = parseDomainText(xml);
  return domain.seclabels.flatMap((seclabel) => {
    const label = seclabel.type === "static" ? canonicalContext(seclabel.label) : "";
    const range = parseContextOrUndefined(label)?.range;
    return range === undefined || pairOf(range) === undefined
      ? []
      : [{ kind: "static", key: range, sharing: "shared" }];
  });
}
