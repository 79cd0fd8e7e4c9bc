/**
 * Kind of a caller's key, the weakest first. `read-only`: a key with `svirt shell --read-only`, or a
 * connection with `-r`. `limited`: a key with `svirt shell`. `full`: a caller that may run any program.
 */
export type Key = "read-only" | "limited" | "full";

const KEYS: readonly Key[] = ["read-only", "limited", "full"];

/** Whether a key may do all that the weakest sufficient key may. */
export function isSufficient(key: Key, weakest: Key): boolean {
  return KEYS.indexOf(key) >= KEYS.indexOf(weakest);
}
