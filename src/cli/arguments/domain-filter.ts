import type { DomainGroup } from "../../vm/query/domain-selection.ts";
import type { Call, Option } from "../command.ts";

/**
 * Options of a list of domains in the groups of libvirt: a domain must have a property of each.
 * virConnectListAllDomainsFlags of libvirt
 */
const GROUPS: readonly (readonly (readonly [option: string, summary: string, has: DomainGroup[number]])[])[] =
  [
    [
      ["persistent", "only domains with a definition", ["persistent", true]],
      ["transient", "only domains without a definition", ["persistent", false]],
    ],
    [
      ["state-running", "domains that run", ["running", true]],
      ["state-paused", "domains that are paused", ["paused", true]],
      ["state-shutoff", "domains that are off; only these without --all", ["shut off", true]],
      ["state-other", "domains in another state", ["other state", true]],
    ],
    [
      ["with-managed-save", "only domains with a state saved by svirt managedsave", ["managed save", true]],
      ["without-managed-save", "only domains without such a state", ["managed save", false]],
    ],
    [
      ["autostart", "only domains that start at boot", ["autostart", true]],
      ["no-autostart", "only domains that do not start at boot", ["autostart", false]],
    ],
    [
      ["with-snapshot", "only domains with a stored snapshot", ["snapshot", true]],
      ["without-snapshot", "only domains without one", ["snapshot", false]],
    ],
    [
      ["with-checkpoint", "only domains with a checkpoint; svirt has none", ["checkpoint", true]],
      ["without-checkpoint", "only domains without one", ["checkpoint", false]],
    ],
  ];

/** Options selecting domains. */
export const DOMAIN_FILTER_OPTIONS: readonly Option[] = GROUPS.flat().map(([name, summary]) => ({
  name,
  summary,
}));

/** Returns the groups with a given option. */
export function domainGroupsOf({ options }: Pick<Call, "options">): readonly DomainGroup[] {
  return GROUPS.map((group) => group.filter(([name]) => options.has(name)).map(([, , has]) => has)).filter(
    ({ length }) => length > 0,
  );
}
