import type { WrittenEntry, WrittenFilter } from "./document.ts";
import type { Field, Filter, FilterRule } from "./filter-rule.ts";
import { ELEMENT } from "./format-filter.ts";
import type { WrittenRule } from "./rule-form.ts";
import { ARP_OPERATIONS, IP_PROTOCOLS } from "./value-forms.ts";

type Match = readonly (readonly [field: Field, value: string])[];

/** Returns a defined filter in the form of libvirt's own filters. */
export function compileFilter({ chain, entries, priority }: WrittenFilter): Filter {
  return {
    ...(chain === undefined ? {} : { chain }),
    ...(priority === undefined ? {} : { priority }),
    entries: entries.map(compileEntry),
  };
}

function compileEntry(entry: WrittenEntry): FilterRule | string {
  if (typeof entry === "string") return entry;
  const { action, direction, priority } = entry;
  const { match, isNegated } = matchOf(entry);
  return {
    // As libvirt does for frames: only a connection can be rejected.
    action: action === "reject" ? "drop" : action,
    direction,
    ...(priority === undefined ? {} : { priority }),
    ...(match.length === 0 ? {} : { match }),
    ...(isNegated ? { isNegated } : {}),
  };
}

function matchOf({ arp, ip, ipv6, mac, rarp }: WrittenRule): {
  readonly match: Match;
  readonly isNegated: boolean;
} {
  const header = mac ?? arp ?? rarp ?? ip ?? ipv6;
  if (header === undefined) return { match: [], isNegated: false };
  const match = [
    ...macMatch(header),
    ...(mac === undefined ? [] : listed([["protocol", mac.protocolid]])),
    ...(arp === undefined ? [] : [proto("arp"), ...arpMatch(arp)]),
    ...(rarp === undefined ? [] : [proto("rarp"), ...arpMatch(rarp)]),
    ...(ip === undefined
      ? []
      : [proto("ipv4"), ...ipMatch("IPv4", ip), ...listed([["IPv4 DSCP", text(ip.dscp)]])]),
    ...(ipv6 === undefined ? [] : [proto("ipv6"), ...ipMatch("IPv6", ipv6)]),
  ];
  return { match, isNegated: header.match === false };
}

function proto(name: string): Match[number] {
  return ["protocol", `${ELEMENT}${name}`];
}

type MacHeader = Pick<
  NonNullable<WrittenRule["mac"]>,
  "srcmacaddr" | "srcmacmask" | "dstmacaddr" | "dstmacmask"
>;

function macMatch({ dstmacaddr, dstmacmask, srcmacaddr, srcmacmask }: MacHeader): Match {
  return listed([
    ["source MAC", masked(srcmacaddr, srcmacmask)],
    ["destination MAC", masked(dstmacaddr, dstmacmask)],
  ]);
}

function arpMatch(arp: NonNullable<WrittenRule["arp"]>): Match {
  const at = ARP_OPERATIONS.indexOf(arp.opcode ?? "");
  return listed([
    ["hardware type", arp.hwtype],
    ["protocol type", arp.protocoltype],
    ["operation", at === -1 ? arp.opcode : String(at + 1)],
    ["sender MAC", arp.arpsrcmacaddr],
    ["target MAC", arp.arpdstmacaddr],
    ["sender IPv4", masked(arp.arpsrcipaddr, arp.arpsrcipmask)],
    ["target IPv4", masked(arp.arpdstipaddr, arp.arpdstipmask)],
  ]);
}

type IpHeader = Omit<NonNullable<WrittenRule["ip"]>, "dscp">;

function ipMatch(family: "IPv4" | "IPv6", ip: IpHeader): Match {
  const { dstipaddr, dstipmask, protocol, srcipaddr, srcipmask } = ip;
  return listed([
    [`source ${family}`, masked(srcipaddr, srcipmask)],
    [`destination ${family}`, masked(dstipaddr, dstipmask)],
    [`${family} protocol`, text(IP_PROTOCOLS.get(protocol ?? "")) ?? protocol],
    ["source port", range(ip.srcportstart, ip.srcportend)],
    ["destination port", range(ip.dstportstart, ip.dstportend)],
  ]);
}

function masked(value: string | undefined, mask: string | number | undefined): string | undefined {
  return value === undefined || mask === undefined ? value : `${value}/${mask}`;
}

function range(start: number | undefined, end: number | undefined): string | undefined {
  return end === undefined || end === start ? text(start) : `${start}-${end}`;
}

function text(value: number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

function listed(fields: readonly (readonly [field: Field, value: string | undefined])[]): Match {
  return fields.flatMap(([field, value]) => (value === undefined ? [] : [[field, value] as const]));
}
