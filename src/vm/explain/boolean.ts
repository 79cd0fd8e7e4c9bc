import type { DenialFacts } from "./denial-facts.ts";

/**
 * Returns an addition to a remedy if a boolean, now off, gives all guests the same access; empty if the policy has
 * none. The policy of svirt names the types that guests need, and removes further access that a boolean gives.
 */
export function wayOfBoolean({ isOn, managerType }: DenialFacts, name: string): string {
  if (isOn(name) !== false) return "";
  return managerType === "svirt_manager_t"
    ? ` (the boolean ${name} gives it to no guest under svirt's policy)`
    : `; or, for all guests: setsebool -P ${name} on`;
}
