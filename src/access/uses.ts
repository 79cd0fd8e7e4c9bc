import { DOMAIN_USES } from "./domain-uses.ts";
import { HOST_USES } from "./host-uses.ts";
import { isSufficient, type Key } from "./key.ts";
import { NETWORK_USES } from "./network-uses.ts";
import { STORAGE_USES } from "./storage-uses.ts";
import { SVIRT_USES } from "./svirt-uses.ts";

// Rule: Each use of svirt needs a key: read-only, limited or full.

/**
 * The table of access: each use of svirt with the weakest key that may do it. A use is a function of
 * libvirt's API, such a function with some arguments, or svirt's own. Commands and procedures of libvirt's
 * protocol name their use, and do not compile without an entry.
 */
const USES = { ...DOMAIN_USES, ...HOST_USES, ...NETWORK_USES, ...STORAGE_USES, ...SVIRT_USES } as const;

export type Use = keyof typeof USES;
/** Function of libvirt's API. */
export type ApiUse = Exclude<Extract<Use, `vir${string}`>, `${string} ${string}`>;
/** Function of libvirt's API with arguments that need another key than the function itself. */
export type ArgumentUse = Extract<Use, `vir${string} ${string}`>;

/** Whether a key may do a use. */
export function mayUse(key: Key, use: Use): boolean {
  return isSufficient(key, weakestKey(use));
}

/** Returns the weakest key that may do a use. */
export function weakestKey(use: Use): Key {
  return USES[use];
}
