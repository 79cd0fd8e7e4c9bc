import type { Chain, Field, FilterRule } from "./filter-rule.ts";
import { type ChainRule, listChainRules } from "./instance.ts";
import type { FilterVariable } from "./variables.ts";

/** Filter of a tap's frames. */
export interface FrameFilter {
  /** The device on the host: `vnet0`. */
  readonly tap: string;
  /** Name of libvirt's filter. */
  readonly filter: string;
  readonly variables: readonly FilterVariable[];
}

/** Frames from the guest enter the host by the tap, and frames to the guest leave it. */
const HOOKS = { out: "ingress", in: "egress" } as const;
type Direction = keyof typeof HOOKS;

/** Priority of a rule without one. virNWFilterRulePriority, MAX_RULE_PRIORITY / 2 of libvirt */
const RULE_PRIORITY = 500;

/** linux/if_ether.h */
const PROTOCOLS: ReadonlyMap<string, string> = new Map([
  ["ipv4", "0x0800"],
  ["arp", "0x0806"],
  ["rarp", "0x8035"],
  ["ipv6", "0x86dd"],
]);

/** Protocol of the frames of a chain; undefined: any. */
const CHAIN_PROTOCOLS: Readonly<Record<Chain, string | undefined>> = {
  root: undefined,
  mac: undefined,
  ipv4: "ipv4",
  "ipv4-ip": "ipv4",
  ipv6: "ipv6",
  "ipv6-ip": "ipv6",
  arp: "arp",
  "arp-mac": "arp",
  "arp-ip": "arp",
  rarp: "rarp",
};

/** ARP of Ethernet and IPv4: only such a header has the addresses at their usual place. RFC 826 */
const ARP_FORMAT = "arp htype 1 arp ptype 0x0800 arp hlen 6 arp plen 4";

/**
 * Fields in the language of nft. The Ethernet header is read as it was sent (@ll), with a VLAN's tag: `ether` requires the type of
 * the ingress device, which frames to a guest do not have, and `meta protocol` has the protocol after the tag.
 */
const FIELDS: Readonly<Record<Field, (values: readonly string[]) => string>> = {
  protocol: (values) => `@ll,96,16 ${oneOf(values.map((name) => PROTOCOLS.get(name) ?? name))}`,
  "source MAC": (values) => `@ll,48,48 ${oneOf(values.map(macNumber))}`,
  "destination MAC": (values) => `@ll,0,48 ${oneOf(values.map(macNumber))}`,
  "source IPv4": (values) => `ip saddr ${oneOf(values)}`,
  "destination IPv4": (values) => `ip daddr ${oneOf(values)}`,
  "IPv4 protocol": (values) => `ip protocol ${oneOf(values)}`,
  "source IPv6": (values) => `ip6 saddr ${oneOf(values)}`,
  "destination IPv6": (values) => `ip6 daddr ${oneOf(values)}`,
  "IPv6 protocol": (values) => `meta l4proto ${oneOf(values)}`,
  "source UDP port": (values) => `udp sport ${oneOf(values)}`,
  "destination UDP port": (values) => `udp dport ${oneOf(values)}`,
  "ARP source MAC": (values) => `${ARP_FORMAT} arp saddr ether ${oneOf(values)}`,
  "ARP source IPv4": (values) => `${ARP_FORMAT} arp saddr ip ${oneOf(values)}`,
  // A reverse request of a guest for itself, without addresses. RFC 903; announce_self_create() of QEMU
  "RARP announcement": (values) => {
    const mac = oneOf(values.map(macNumber));
    return `@nh,0,64 0x0001080006040003 @nh,64,48 ${mac} @nh,112,32 0x0 @nh,144,48 ${mac} @nh,192,32 0x0`;
  },
};

/**
 * Returns the chains of a filter in the language of nft. They are of the tap itself, so they see every frame, for the host and on any
 * bridge. ebiptablesApplyNewRules() of libvirt has the order of the rules.
 */
export function formatFilter(filter: FrameFilter): readonly string[] {
  const rules = listChainRules(filter.filter);
  return (["out", "in"] as const).flatMap((direction) =>
    formatDirection(
      filter,
      direction,
      rules.filter(({ rule }) => rule.direction === direction || rule.direction === "inout"),
    ),
  );
}

function formatDirection(
  filter: FrameFilter,
  direction: Direction,
  rules: readonly ChainRule[],
): readonly string[] {
  if (rules.length === 0) return [];
  const others = [...new Set(rules.map(({ chain }) => chain))].filter((chain) => chain !== "root");
  const ofChain = (wanted: Chain): readonly Line[] =>
    rules
      .filter(({ chain }) => chain === wanted)
      .map(({ rule }) => ({ priority: rule.priority ?? RULE_PRIORITY, text: formatRule(filter, rule) }));
  const jumps = others.map((chain) => ({
    priority: rules.find((rule) => rule.chain === chain)?.chainPriority ?? 0,
    text: `${condition(chain)}jump ${direction}-${chain}`,
  }));
  // A chain precedes the rules of its priority.
  return [
    ...formatChain(direction, [
      `type filter hook ${HOOKS[direction]} device "${filter.tap}" priority 0; policy accept;`,
      ...inOrder([...jumps, ...ofChain("root")]),
    ]),
    ...others.flatMap((chain) => formatChain(`${direction}-${chain}`, inOrder(ofChain(chain)))),
  ];
}

/** Rule in the language of nft, with its place. */
interface Line {
  readonly priority: number;
  readonly text: string;
}

function inOrder(lines: readonly Line[]): readonly string[] {
  return lines.toSorted((one, other) => one.priority - other.priority).map(({ text }) => text);
}

function condition(chain: Chain): string {
  const protocol = CHAIN_PROTOCOLS[chain];
  return protocol === undefined ? "" : `${FIELDS.protocol([protocol])} `;
}

function formatRule({ variables }: FrameFilter, { action, match = [] }: FilterRule): string {
  const conditions = match.map(([field, value]) =>
    FIELDS[field](
      value.startsWith("$") ? (variables.find(({ name }) => `$${name}` === value)?.values ?? []) : [value],
    ),
  );
  return [...conditions, action === "drop" ? "counter drop" : action].join(" ");
}

function formatChain(name: string, lines: readonly string[]): readonly string[] {
  return [`chain ${name} {`, ...lines.map((line) => `  ${line}`), "}"];
}

function oneOf(values: readonly string[]): string {
  const [only = "", ...more] = values;
  return more.length === 0 ? only : `{ ${values.join(", ")} }`;
}

/** Returns a MAC address as a number. */
function macNumber(mac: string): string {
  return `0x${mac.replaceAll(":", "")}`;
}
