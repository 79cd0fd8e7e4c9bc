import type { Policy } from "./built-policy.ts";

/** A longer list says no more than "all of that attribute but a few". */
const FEW = 40;
const LEFT_OUT = 5;

/** Is it an attribute that libsepol made for a deny rule? It has another number after the next change. */
export function isNumbered(name: string): boolean {
  return name.startsWith("deny_rule_attr_");
}

/** Is the name this type, or an attribute of it? */
export function isOf(policy: Policy, name: string, type: string): boolean {
  return name === type || policy.attributes.get(name)?.has(type) === true;
}

/** The types that a name stands for. */
export function membersOf(policy: Policy, name: string): readonly string[] {
  return [...(policy.attributes.get(name) ?? [name])];
}

/** Names for what a rule's target stands for that are the same at each build: `port_type-but-vnc_port_t`, or the types. */
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

/** By code unit: the same order on every machine. */
export function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
