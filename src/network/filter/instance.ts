import { SvirtError } from "../../errors.ts";
import { type Chain, chainPriority, type Field, type Filter, type FilterRule } from "./filter-rule.ts";
import { FILTERS } from "./filters.ts";

/** Rule of a filter or of an included filter, with the place of its chain. */
export interface ChainRule {
  readonly chain: Chain;
  readonly chainPriority: number;
  readonly rule: FilterRule;
}

/** Returns a filter by its name, or undefined. Throws for an unreadable filter. */
export type FindFilter = (name: string) => Filter | undefined;

/** Rules of a filter with the rules of all included filters, and the names of all of these. */
export interface CollectedRules {
  readonly rules: readonly ChainRule[];
  readonly filters: readonly string[];
}

/** Bound of the rules of a tap. libvirt has none. */
const MOST_RULES = 2000;

/** Finds libvirt's own filters. */
export const findBuiltIn: FindFilter = (name) => FILTERS.get(name);

/**
 * Collects the rules of a filter of libvirt's own and of its included filters. An unknown filter has none.
 */
export function collectBuiltIn(name: string): CollectedRules {
  return FILTERS.has(name) ? collectRules(name, findBuiltIn) : { rules: [], filters: [] };
}

/**
 * Collects the rules of a filter and of its included filters, in their order. Throws "not-found" for a
 * missing included filter; "failed" for a filter inside itself; "unsupported" for too many rules of a tap.
 * virNWFilterDefToRuleInst() of libvirt
 */
export function collectRules(name: string, find: FindFilter): CollectedRules {
  const walk: Walk = { root: name, find, rules: [], filters: new Set(), above: new Set(), steps: 0 };
  include(walk, name);
  return { rules: walk.rules, filters: [...walk.filters] };
}

/** State of the reading of a filter and of its included filters. */
interface Walk {
  readonly root: string;
  readonly find: FindFilter;
  readonly rules: ChainRule[];
  readonly filters: Set<string>;
  /** Filters being read, each included by the filter before. */
  readonly above: Set<string>;
  steps: number;
}

function include(walk: Walk, key: string): void {
  if (walk.above.has(key)) throw loop(key);
  const filter = walk.find(key);
  if (filter === undefined) throw missing(key, walk.root);
  walk.filters.add(key);
  walk.above.add(key);
  for (const entry of filter.entries) {
    // Empty filters may be included again and again, and each may include another one.
    walk.steps += 1;
    if (walk.steps > 2 * MOST_RULES) throw tooMany(walk.root);
    if (typeof entry === "string") include(walk, entry);
    else if (walk.rules.push(placed(filter, entry)) > MOST_RULES) throw tooMany(walk.root);
  }
  walk.above.delete(key);
}

function placed({ chain = "root", priority }: Filter, rule: FilterRule): ChainRule {
  return { chain, chainPriority: priority ?? chainPriority(chain) ?? 0, rule };
}

/** Lists the variables of rules, each with the fields that it is compared with. */
export function listVariables(rules: readonly ChainRule[]): ReadonlyMap<string, readonly Field[]> {
  const found = new Map<string, readonly Field[]>();
  for (const { rule } of rules) {
    for (const [field, value] of rule.match ?? []) {
      const variable = variableOf(value);
      if (variable !== undefined) found.set(variable, [...(found.get(variable) ?? []), field]);
    }
  }
  return found;
}

/** Returns the name of the variable in a value, `IP` in `$IP/24`; undefined for another value. */
export function variableOf(value: string): string | undefined {
  return value.startsWith("$") ? value.slice(1).split("/")[0] : undefined;
}

/** virNWFilterDefLoopDetect() of libvirt */
function loop(name: string): SvirtError {
  return new SvirtError(`operation failed: filter would introduce a loop: '${name}' includes itself`, {
    kind: "failed",
    libvirt: "OPERATION_FAILED",
    from: "NWFILTER",
    remedy: "Remove a <filterref> of the loop: svirt nwfilter-dumpxml shows a filter.",
  });
}

/** virNWFilterIncludeDefToRuleInst() of libvirt */
function missing(name: string, root: string): SvirtError {
  return new SvirtError(`internal error: referenced filter '${name}' is missing`, {
    kind: "not-found",
    libvirt: "INTERNAL_ERROR",
    from: "NWFILTER",
    remedy: `Define it: svirt nwfilter-define. The filter ${root} includes it.`,
  });
}

function tooMany(name: string): SvirtError {
  return new SvirtError(
    `Cannot apply filter '${name}': it has more than ${MOST_RULES} rules with its <filterref>s`,
    {
      kind: "unsupported",
      from: "NWFILTER",
      remedy: "Use fewer rules.",
    },
  );
}
