import type { Policy } from "./built-policy.ts";

/** Most types to list; a longer list is clearer as an attribute without a few types. */
const FEW = 40;
const LEFT_OUT = 5;

/**
 * Reports whether libsepol made the attribute for a deny rule. The number in its name changes with the
 * policy.
 */
export function isNumbered(name: string): boolean {
  return name.startsWith("deny_rule_attr_");
}

/** Reports whether the name is this type, or an attribute of it. */
export function isOf(policy: Policy, name: string, type: string): boolean {
  return name === type || policy.attributes.get(name)?.has(type) === true;
}

/** Returns the types that a name stands for. */
export function membersOf(policy: Policy, name: string): readonly string[] {
  return [...(policy.attributes.get(name) ?? [name])];
}

/**
 * Returns names for a rule's target that are equal in each build: `port_type-but-vnc_port_t`, or the types.
 */
export function nameSet(policy: Policy, name: string): readonly string[] {
  if (!isNumbered(name)) return [name];
  const members = new Set(membersOf(policy, name));
  if (members.size <= FEW) return [...members];
  const near = [...policy.attributes]
    .filter(([attribute]) => !isNumbered(attribute))
    .map(([attribute, all]) => ({ attribute, all, without: [...all.difference(members)].toSorted(compare) }))
    .filter(({ all, without }) => members.isSubsetOf(all) && without.length <= LEFT_OUT)
    .toSorted((a, b) => a.without.length - b.without.length || compare(a.attribute, b.attribute));
  return near[0] === undefined ? [...members] : [`${near[0].attribute}-but-${near[0].without.join("-")}`];
}

/** Compares by code unit: the order is equal on every machine. */
export function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
