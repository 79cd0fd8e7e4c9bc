import type { Chain, Field, Filter, FilterRule } from "./filter-rule.ts";
import { FILTERS } from "./filters.ts";

/** Rule of a filter or of one that it includes, with the place of its chain. */
export interface ChainRule {
  readonly chain: Chain;
  readonly chainPriority: number;
  readonly rule: FilterRule;
}

/** NWFILTER_*_FILTER_PRI of nwfilter_conf.h of libvirt */
const CHAIN_PRIORITIES: Readonly<Record<Chain, number>> = {
  root: 0,
  mac: -800,
  ipv4: -700,
  "ipv4-ip": -700,
  ipv6: -600,
  "ipv6-ip": -600,
  arp: -500,
  "arp-mac": -500,
  "arp-ip": -500,
  rarp: -400,
};

/** Lists the rules of a filter and of those that it includes, in their order. An unknown filter has none. virNWFilterDefToRuleInst() of libvirt */
export function listChainRules(name: string): readonly ChainRule[] {
  const filter = FILTERS.get(name);
  return filter === undefined ? [] : filter.entries.flatMap((entry) => rulesOf(filter, entry));
}

function rulesOf({ chain = "root", priority }: Filter, entry: FilterRule | string): readonly ChainRule[] {
  if (typeof entry === "string") return listChainRules(entry);
  return [{ chain, chainPriority: priority ?? CHAIN_PRIORITIES[chain], rule: entry }];
}

/** Lists the variables of a filter's rules, each with the fields that it is compared with. */
export function listVariables(name: string): ReadonlyMap<string, readonly Field[]> {
  const found = new Map<string, readonly Field[]>();
  for (const { rule } of listChainRules(name)) {
    for (const [field, value] of rule.match ?? []) {
      if (!value.startsWith("$")) continue;
      const variable = value.slice(1);
      found.set(variable, [...(found.get(variable) ?? []), field]);
    }
  }
  return found;
}
