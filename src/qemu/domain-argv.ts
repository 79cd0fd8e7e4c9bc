import type { Domain } from "../domain/domain.ts";
import { type ArgvFacts, formatGuestArgv } from "./command-line.ts";
import { completeGuest } from "./complete-guest.ts";

/**
 * Returns QEMU's command line for a domain that is not yet completed. Throws "unsupported" as
 * formatGuestArgv() does.
 */
export function formatArgv(domain: Domain, facts: ArgvFacts = {}): readonly string[] {
  return formatGuestArgv(completeGuest(domain), facts);
}
