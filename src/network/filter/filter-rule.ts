/**
 * Chain of a filter: `root`, or a chain for frames of the protocol at the beginning of its name: `mac` (any),
 * `ipv4`, `ipv6`, `arp`, `rarp`. chain_priorities of nwfilter_conf.c of libvirt
 */
export type Chain = string;

/** Fields of a frame compared by a rule. */
export const FIELD_NAMES = [
  "protocol",
  "source MAC",
  "destination MAC",
  "source IPv4",
  "destination IPv4",
  "IPv4 protocol",
  "IPv4 DSCP",
  "IPv6 protocol",
  "source IPv6",
  "destination IPv6",
  "source UDP port",
  "destination UDP port",
  "source port",
  "destination port",
  "ARP source MAC",
  "ARP source IPv4",
  "RARP announcement",
  // Fields of ARP and of RARP: both have the same header.
  "hardware type",
  "protocol type",
  "operation",
  "sender MAC",
  "target MAC",
  "sender IPv4",
  "target IPv4",
] as const;
export type Field = (typeof FIELD_NAMES)[number];

/** Verdicts of rules. `reject` of libvirt drops frames. */
export const ACTIONS = ["accept", "drop", "return", "continue"] as const;

/** Rule of a filter. `out` are frames from the guest, `in` frames to it. */
export interface FilterRule {
  readonly direction: "in" | "out" | "inout";
  readonly action: (typeof ACTIONS)[number];
  /** Rules of lower numbers come first; the default is 500. */
  readonly priority?: number;
  /**
   * Fields with a value, or the variable `$NAME`, both also as `VALUE/MASK`; all must match. Without fields
   * every frame matches.
   */
  readonly match?: readonly (readonly [field: Field, value: string])[];
  /** The fields must differ from their values; the protocols of `ip`, `ipv6`, `arp` and `rarp` must match. */
  readonly isNegated?: true;
}

/** Filter of libvirt: its rules, and the names of the filters that it includes. */
export interface Filter {
  /** The default is `root`. */
  readonly chain?: Chain;
  /** Place of the chain among the rules of `root`; chains have a default. */
  readonly priority?: number;
  readonly entries: readonly (FilterRule | string)[];
}

/** Default priority of a rule. virNWFilterRulePriority, MAX_RULE_PRIORITY / 2 of libvirt */
export const RULE_PRIORITY = 500;

/**
 * Default priorities of chains, by the beginnings of their names. NWFILTER_*_FILTER_PRI of nwfilter_conf.h of
 * libvirt
 */
const CHAIN_PRIORITIES: ReadonlyMap<string, number> = new Map([
  ["mac", -800],
  ["ipv4", -700],
  ["ipv6", -600],
  ["arp", -500],
  ["rarp", -400],
]);

/** Returns the beginning of a chain's name: its protocol, or `root`. */
export function chainFamily(chain: Chain): string {
  return [...CHAIN_PRIORITIES.keys()].find((family) => chain.startsWith(family)) ?? "root";
}

/** Returns the default place of a chain among the rules of `root`; undefined for `root`. */
export function chainPriority(chain: Chain): number | undefined {
  return CHAIN_PRIORITIES.get(chainFamily(chain));
}
