/** Chain of a filter: `root`, or one for frames of a protocol. chain_priorities of nwfilter_conf.c of libvirt */
export type Chain =
  | "root"
  | "mac"
  | "ipv4"
  | "ipv4-ip"
  | "ipv6"
  | "ipv6-ip"
  | "arp"
  | "arp-mac"
  | "arp-ip"
  | "rarp";

/** Field of a frame that a rule compares. */
export type Field =
  | "protocol"
  | "source MAC"
  | "destination MAC"
  | "source IPv4"
  | "destination IPv4"
  | "IPv4 protocol"
  | "IPv6 protocol"
  | "source IPv6"
  | "destination IPv6"
  | "source UDP port"
  | "destination UDP port"
  | "ARP source MAC"
  | "ARP source IPv4"
  | "RARP announcement";

/** Rule of a filter. `out` are frames from the guest, `in` frames to it. */
export interface FilterRule {
  readonly direction: "in" | "out" | "inout";
  readonly action: "accept" | "drop" | "return";
  /** Rules of lower numbers come first; the default is 500. */
  readonly priority?: number;
  /** Fields with a value, or the variable `$NAME`; all must match. Without fields every frame matches. */
  readonly match?: readonly (readonly [field: Field, value: string])[];
}

/** Filter of libvirt: its rules, and the names of the filters that it includes. */
export interface Filter {
  /** The default is `root`. */
  readonly chain?: Chain;
  /** Place of the chain among the rules of `root`; chains have a default. */
  readonly priority?: number;
  readonly entries: readonly (FilterRule | string)[];
}
