import type { AllowRule, Policy } from "./built-policy.ts";
import { compare, isOf, membersOf, nameSet } from "./names.ts";

/** Permission of some domains. */
interface Right {
  /** `self` if the target is the domain itself. */
  readonly target: string;
  readonly tclass: string;
  readonly permission: string;
  readonly condition: string;
}

/** Rights of a set of domains, with a line for each target and class. */
export interface RightsOf {
  readonly domains: readonly string[];
  readonly lines: readonly string[];
}

/** Returns the rights of these domains, by the set of domains that has them: all, these three, this one. */
export function rightsOf(policy: Policy, domains: readonly string[]): readonly RightsOf[] {
  const holders = new Map<string, { readonly right: Right; readonly by: Set<string> }>();
  for (const rule of policy.rules) {
    for (const domain of domains.filter((name) => isOf(policy, rule.source, name))) {
      for (const right of rightsIn(policy, rule, domain)) {
        const key = Object.values(right).join(" ");
        const held = holders.get(key) ?? { right, by: new Set() };
        holders.set(key, held);
        held.by.add(domain);
      }
    }
  }
  const groups = Map.groupBy(holders.values(), ({ by }) => domains.filter((name) => by.has(name)).join(" "));
  return [...groups]
    .map(([names, held]) => ({
      domains: names.split(" "),
      lines: formatRights(held.map(({ right }) => right)),
    }))
    .toSorted((a, b) => b.domains.length - a.domains.length || compare(a.domains.join(), b.domains.join()));
}

/**
 * Returns the types that may make a process one of these domains, or trace one: a line for each permission.
 */
export function waysInto(policy: Policy, domains: readonly string[]): readonly string[] {
  return ["transition", "dyntransition", "ptrace"].flatMap((permission) => {
    const sources = policy.rules
      .filter(({ tclass, permissions }) => tclass === "process" && permissions.includes(permission))
      .filter(({ target }) => domains.some((name) => isOf(policy, target, name)))
      .flatMap(({ source }) => membersOf(policy, source));
    return sources.length === 0
      ? []
      : [`${permission} { ${[...new Set(sources)].toSorted(compare).join(" ")} }`];
  });
}

function rightsIn(policy: Policy, rule: AllowRule, domain: string): readonly Right[] {
  const { condition, permissions, tclass } = rule;
  return nameSet(policy, rule.target).flatMap((name) =>
    permissions.map((permission) => ({
      target: name === domain ? "self" : name,
      tclass,
      permission,
      condition,
    })),
  );
}

function formatRights(rights: readonly Right[]): readonly string[] {
  const lines = Map.groupBy(rights, ({ target, tclass, condition }) =>
    JSON.stringify([target, tclass, condition]),
  );
  return [...lines.values()]
    .flatMap((own) => own.slice(0, 1).map((right) => formatLine(right, own)))
    .toSorted(compare);
}

function formatLine({ target, tclass, condition }: Right, own: readonly Right[]): string {
  const permissions = own.map(({ permission }) => permission).toSorted(compare);
  const when = condition === "" ? "" : ` if ${condition}`;
  return `${target} ${tclass} { ${permissions.join(" ")} }${when}`;
}
