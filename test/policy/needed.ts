import type { AllowRule, Policy } from "./built-policy.ts";
import type { OurRule } from "./cil.ts";
import { isOf, membersOf } from "./names.ts";

/** One permission of one of our rules. */
export interface OurRight {
  readonly source: string;
  readonly target: string;
  readonly tclass: string;
  readonly permission: string;
}

/** The permissions of our rules one by one. */
export function rightsIn(rules: readonly OurRule[]): readonly OurRight[] {
  return rules.flatMap(({ source, target, tclass, permissions }) =>
    permissions.map((permission) => ({ source, target, tclass, permission })),
  );
}

/** As tables have it. */
export function formatRight({ source, target, tclass, permission }: OurRight): string {
  return `${source} ${target} ${tclass} ${permission}`;
}

/**
 * Those without which nothing would be otherwise: the policy, whatever its booleans say, or another of our rules, gives them to
 * all that is named.
 */
export function givenAnyhow(policy: Policy, rights: readonly OurRight[]): readonly OurRight[] {
  const theirs = Map.groupBy(
    policy.rules.flatMap((rule) => rule.permissions.map((permission) => ({ ...rule, permission }))),
    useOf,
  );
  const ours = Map.groupBy(
    rights.map((right) => ({ ...right, condition: "", right })),
    useOf,
  );
  return rights.filter((right) => {
    const others = (ours.get(useOf(right)) ?? []).filter((other) => other.right !== right);
    return isGiven(policy, [...(theirs.get(useOf(right)) ?? []), ...others], right);
  });
}

/** Is this one use given by the policy, whatever its booleans say? */
export function isGivenUse(policy: Policy, used: OurRight): boolean {
  const rules = policy.rules.filter(
    ({ permissions, tclass }) => tclass === used.tclass && permissions.includes(used.permission),
  );
  return isAlways(
    rules.filter(({ source, target }) => isOf(policy, source, used.source) && isTarget(policy, target, used)),
  );
}

/** Was the right used, by one of the domains on one of the targets that the rule names? */
export function isUseOf(policy: Policy, used: OurRight, right: OurRight): boolean {
  return (
    useOf(used) === useOf(right) &&
    isOf(policy, right.source, used.source) &&
    isTarget(policy, right.target, used)
  );
}

function isTarget(
  policy: Policy,
  name: string,
  { source, target }: Pick<OurRight, "source" | "target">,
): boolean {
  return name === "self" ? source === target : isOf(policy, name, target);
}

function useOf({ tclass, permission }: { readonly tclass: string; readonly permission: string }): string {
  return `${tclass} ${permission}`;
}

type Pair = Pick<AllowRule, "source" | "target" | "condition">;

function isGiven(policy: Policy, rules: readonly Pair[], right: OurRight): boolean {
  return membersOf(policy, right.source).every((source) => {
    const own = rules.filter((rule) => isOf(policy, rule.source, source));
    const targets = right.target === "self" ? [source] : membersOf(policy, right.target);
    return targets.every((target) =>
      isAlways(own.filter((rule) => isTarget(policy, rule.target, { source, target }))),
    );
  });
}

/** Is one of the rules there whatever the booleans say? What both branches of a boolean give is. */
function isAlways(rules: readonly Pair[]): boolean {
  const conditions = new Set(rules.map(({ condition }) => condition));
  return [...conditions].some((condition) => condition === "" || conditions.has(`not ${condition}`));
}
