import type { AllowRule, Policy } from "./built-policy.ts";
import type { OurRule } from "./cil.ts";
import { isOf, membersOf } from "./names.ts";

/** Permission of a rule of svirt. */
export interface OurRight {
  readonly source: string;
  readonly target: string;
  readonly tclass: string;
  readonly permission: string;
}

/** Returns the permissions of svirt's rules one by one. */
export function rightsIn(rules: readonly OurRule[]): readonly OurRight[] {
  return rules.flatMap(({ source, target, tclass, permissions }) =>
    permissions.map((permission) => ({ source, target, tclass, permission })),
  );
}

/** Formats a right as in the tables. */
export function formatRight({ source, target, tclass, permission }: OurRight): string {
  return `${source} ${target} ${tclass} ${permission}`;
}

/**
 * Returns the rights that change nothing: the policy, with any booleans, or another of svirt's rules gives
 * them for all sources and targets.
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

/** Reports whether the policy allows this use whatever its booleans are. */
export function isGivenUse(policy: Policy, used: OurRight): boolean {
  const rules = policy.rules.filter(
    ({ permissions, tclass }) => tclass === used.tclass && permissions.includes(used.permission),
  );
  return isAlways(
    rules.filter(({ source, target }) => isOf(policy, source, used.source) && isTarget(policy, target, used)),
  );
}

/** Reports whether the use is by a domain and on a target of the right's rule. */
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

/**
 * Reports whether one of the rules holds whatever the booleans are. Rules in both branches of a boolean do.
 */
function isAlways(rules: readonly Pair[]): boolean {
  const conditions = new Set(rules.map(({ condition }) => condition));
  return [...conditions].some((condition) => condition === "" || conditions.has(`not ${condition}`));
}
