import { numberOf } from "../address/ip-address.ts";
import { netmaskOf } from "../address/subnet.ts";
import { type Chain, chainFamily, type Field, type FilterRule, RULE_PRIORITY } from "./filter-rule.ts";
import { type GuardRule, guardsOf } from "./guards.ts";
import { type ChainRule, type CollectedRules, collectBuiltIn, variableOf } from "./instance.ts";
import { asOutgoing } from "./reverse-rule.ts";
import type { FilterVariable } from "./variables.ts";

/** Filter of a tap's frames. */
export interface FrameFilter {
  /** The device on the host: `vnet0`. */
  readonly tap: string;
  /** Name of libvirt's filter. */
  readonly filter: string;
  readonly variables: readonly FilterVariable[];
  /**
   * Rules of a filter that was defined on this host, as it was when the tap got them; undefined for libvirt's
   * own.
   */
  readonly defined?: CollectedRules;
}

/** Frames from the guest enter the host by the tap, and frames to the guest leave it. */
const HOOKS = { out: "ingress", in: "egress" } as const;
type Direction = keyof typeof HOOKS;

/** linux/if_ether.h */
const PROTOCOLS: ReadonlyMap<string, string> = new Map([
  ["ipv4", "0x0800"],
  ["arp", "0x0806"],
  ["rarp", "0x8035"],
  ["ipv6", "0x86dd"],
]);

/** ARP of Ethernet and IPv4: only such a header has the addresses at their usual place. RFC 826 */
const ARP_FORMAT = "arp htype 1 arp ptype 0x0800 arp hlen 6 arp plen 4";

/**
 * Protocol and lengths of the addresses in such a header of ARP or RARP, read as bytes. The type of hardware
 * may be any: Linux accepts that of IEEE 802 too. RFC 826, RFC 903; arp_process() of Linux
 */
const ARP_ADDRESSES = "@nh,16,32 0x08000604";

/** Comparison of a part of a frame with any of several values, in the language of nft. */
type Compare = (left: string, values: readonly string[]) => string;

/**
 * Fields in the language of nft. The Ethernet header is read as it was sent (@ll), with a VLAN's tag: `ether`
 * requires the type of the ingress device, which frames to a guest do not have, and `meta protocol` has the
 * protocol after the tag.
 */
const FIELDS: Readonly<Record<Field, (values: readonly string[], compare: Compare) => string>> = {
  protocol: (values, compare) =>
    compare(
      "@ll,96,16",
      values.map((name) => PROTOCOLS.get(name) ?? name),
    ),
  "source MAC": (values, compare) => compareMac("@ll,48,48", values, compare),
  "destination MAC": (values, compare) => compareMac("@ll,0,48", values, compare),
  "source IPv4": (values, compare) => compare("ip saddr", values),
  "destination IPv4": (values, compare) => compare("ip daddr", values),
  "IPv4 protocol": (values, compare) => compare("ip protocol", values),
  "IPv4 DSCP": (values, compare) => compare("ip dscp", values),
  "source IPv6": (values, compare) => compare("ip6 saddr", values),
  "destination IPv6": (values, compare) => compare("ip6 daddr", values),
  "IPv6 protocol": (values, compare) => compare("meta l4proto", values),
  "source UDP port": (values, compare) => compare("udp sport", values),
  "destination UDP port": (values, compare) => compare("udp dport", values),
  "source port": (values, compare) => compare("th sport", values),
  "destination port": (values, compare) => compare("th dport", values),
  "ARP source MAC": (values, compare) => `${ARP_FORMAT} ${compare("arp saddr ether", values)}`,
  "ARP source IPv4": (values, compare) => `${ARP_FORMAT} ${compare("arp saddr ip", values)}`,
  // A reverse request of a guest for itself, without addresses. RFC 903; announce_self_create() of QEMU
  "RARP announcement": (values) => {
    const mac = oneOf(values.map(macNumber));
    return `@nh,0,64 0x0001080006040003 @nh,64,48 ${mac} @nh,112,32 0x0 @nh,144,48 ${mac} @nh,192,32 0x0`;
  },
  "hardware type": (values, compare) => compare("@nh,0,16", values),
  "protocol type": (values, compare) => compare("@nh,16,16", values),
  operation: (values, compare) => compare("@nh,48,16", values),
  "sender MAC": (values, compare) => `${ARP_ADDRESSES} ${compare("@nh,64,48", values.map(macNumber))}`,
  "target MAC": (values, compare) => `${ARP_ADDRESSES} ${compare("@nh,144,48", values.map(macNumber))}`,
  "sender IPv4": (values, compare) => `${ARP_ADDRESSES} ${compareIpv4("@nh,112,32", values, compare)}`,
  "target IPv4": (values, compare) => `${ARP_ADDRESSES} ${compareIpv4("@nh,192,32", values, compare)}`,
};

/**
 * Beginning of the protocol of an element such as `<ip>`, which a rule with match='no' requires all the same.
 */
export const ELEMENT = "element ";

/**
 * Returns the chains of a filter in the language of nft. They belong to the tap itself, so they see every
 * frame, for the host and on any bridge. ebiptablesApplyNewRules() of libvirt has the order of the rules.
 * Rules of svirt precede the rules of some filters: guardsOf().
 */
export function formatFilter(filter: FrameFilter): readonly string[] {
  const { filters, rules } = filter.defined ?? collectBuiltIn(filter.filter);
  const guards = guardsOf(filters, valuesOf("$MAC", filter.variables).map(macNumber));
  const chainsOf = (direction: Direction, first: readonly GuardRule[]): readonly string[] =>
    formatDirection(
      filter,
      { direction, first },
      rules.filter(({ rule }) => rule.direction === direction || rule.direction === "inout"),
    );
  return [...chainsOf("out", guards.rules), ...guards.chains, ...chainsOf("in", [])];
}

function formatDirection(
  filter: FrameFilter,
  { direction, first }: { readonly direction: Direction; readonly first: readonly GuardRule[] },
  rules: readonly ChainRule[],
): readonly string[] {
  if (rules.length === 0) return [];
  const others = [...new Set(rules.map(({ chain }) => chain))].filter((chain) => chain !== "root");
  const ofChain = (wanted: Chain): readonly Line[] =>
    rules
      .filter(({ chain }) => chain === wanted)
      .map(({ rule }) => ({
        priority: rulePriority(rule),
        text: formatRule(filter, direction === "out" ? asOutgoing(rule) : rule),
      }));
  const jumps = others.map((chain) => ({
    priority: placeOf(rules.filter((rule) => rule.chain === chain)),
    text: `${condition(chain)}jump ${direction}-${chain}`,
  }));
  // A chain precedes the rules of its priority.
  return [
    ...formatChain(direction, [
      `type filter hook ${HOOKS[direction]} device "${filter.tap}" priority 0; policy accept;`,
      ...inOrder([...first, ...jumps, ...ofChain("root")]),
    ]),
    ...others.flatMap((chain) => formatChain(`${direction}-${chain}`, inOrder(ofChain(chain)))),
  ];
}

/**
 * Returns the place of a chain: filters may give it different places, and the place of its last rule counts.
 * ebiptablesApplyNewRules() of libvirt
 */
function placeOf(rules: readonly ChainRule[]): number {
  const ordered = rules.toSorted((one, other) => rulePriority(one.rule) - rulePriority(other.rule));
  return ordered.at(-1)?.chainPriority ?? 0;
}

function rulePriority({ priority = RULE_PRIORITY }: FilterRule): number {
  return priority;
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
  const protocol = chainFamily(chain);
  return PROTOCOLS.has(protocol) ? `${FIELDS.protocol([protocol], equal)} ` : "";
}

function formatRule({ variables }: FrameFilter, { action, isNegated, match = [] }: FilterRule): string {
  const conditions = match.map(([field, value]) => {
    const isElement = field === "protocol" && value.startsWith(ELEMENT);
    const values = isElement ? [value.slice(ELEMENT.length)] : valuesOf(value, variables);
    return FIELDS[field](values, isNegated === true && !isElement ? differ : equal);
  });
  return [...conditions, action === "drop" ? "counter drop" : action].join(" ");
}

/** Returns the values that `$NAME` or `$NAME/MASK` stands for, each with the mask, or the value itself. */
function valuesOf(value: string, variables: readonly FilterVariable[]): readonly string[] {
  const variable = variableOf(value);
  if (variable === undefined) return [value];
  const rest = value.slice(1 + variable.length);
  return (variables.find(({ name }) => name === variable)?.values ?? []).map((one) => `${one}${rest}`);
}

function formatChain(name: string, lines: readonly string[]): readonly string[] {
  return [`chain ${name} {`, ...lines.map((line) => `  ${line}`), "}"];
}

const equal: Compare = (left, values) => `${left} ${oneOf(values)}`;
const differ: Compare = (left, values) => `${left} != ${oneOf(values)}`;

function oneOf(values: readonly string[]): string {
  const [only = "", ...more] = values;
  return more.length === 0 ? only : `{ ${values.join(", ")} }`;
}

/** Compares addresses, all with the same mask or with none. */
function compareMac(left: string, values: readonly string[], compare: Compare): string {
  const mask = values[0]?.split("/")[1];
  const numbers = values.map((value) =>
    masked(macNumber(value.split("/")[0] ?? ""), mask && macNumber(mask)),
  );
  return compare(mask === undefined ? left : `${left} & ${macNumber(mask)}`, numbers);
}

/** As compareMac(), with the length of a prefix as the mask. */
function compareIpv4(left: string, values: readonly string[], compare: Compare): string {
  const length = values[0]?.split("/")[1];
  const mask = length === undefined ? undefined : hex(numberOf(netmaskOf(Number(length))));
  const numbers = values.map((value) => masked(hex(numberOf(value.split("/")[0] ?? "")), mask));
  return compare(mask === undefined ? left : `${left} & ${mask}`, numbers);
}

/** Returns a number without the bits outside a mask: nft would never find a number with them. */
function masked(number: string, mask: string | undefined): string {
  return mask === undefined ? number : hex(BigInt(number) & BigInt(mask));
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** Returns a MAC address as a number. */
function macNumber(mac: string): string {
  return `0x${mac.replaceAll(":", "")}`;
}
