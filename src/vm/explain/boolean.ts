import type { DenialFacts } from "./denial-facts.ts";

/**
 * What to add to a remedy where a boolean that is off gives the same thing to all guests; nothing where the policy has
 * none. svirt's own policy names what guests have to do with, and takes away what a boolean gives beyond that.
 */
export function wayOfBoolean({ isOn, managerType }: DenialFacts, name: string): string {
  if (isOn(name) !== false) return "";
  return managerType === "svirt_manager_t"
    ? ` (the boolean ${name} gives it to no guest under svirt's policy)`
    : `; or, for all guests: setsebool -P ${name} on`;
}
