import type { DenialFacts } from "./denial-facts.ts";

/**
 * Returns an addition to a remedy if a boolean, now off, gives all guests the same access; empty if the
 * policy has none. The policy of svirt names the guests' necessary types, and removes further access given by
 * a boolean.
 */
export function wayOfBoolean({ isOn, managerType }: DenialFacts, name: string): string {
  if (isOn(name) !== false) return "";
  return managerType === "svirt_manager_t"
    ? ` (the boolean ${name} gives it to no guest under svirt's policy)`
    : `; or, for all guests: setsebool -P ${name} on`;
}
