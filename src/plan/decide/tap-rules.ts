import { isOnMadeBridge } from "../../domain/devices/network/bound.ts";
import type { NetworkInterface } from "../../domain/devices/network/interface.ts";
import { SvirtError } from "../../errors.ts";
import { bytesOf, limitOf, shapeOf } from "../../network/bandwidth.ts";
import { RULE_DEVICE } from "../../network/bridge/packet-rules.ts";
import type { Field } from "../../network/filter/filter-rule.ts";
import { type ChainRule, type FindFilter, findBuiltIn } from "../../network/filter/instance.ts";
import { filterTable, limitTable } from "../../network/filter/tap-rules.ts";
import { readFilter } from "../../network/filter/variables.ts";
import type { Shape } from "../../network/traffic-shape.ts";
import type { Floor, TapRules } from "../facts/tap.ts";

/** The guest of a tap, and the interface in its XML. */
interface RulesOwner {
  readonly uuid: string;
  readonly place: string;
  /** Finds libvirt's filters and the host's defined filters. */
  readonly findFilter: FindFilter;
}

/**
 * Decides the rules for the frames of an interface's tap: its filter, and the limit of the frames from the
 * guest. Throws "unsupported" for a filter of a macvtap, as virDomainActualNetDefValidate() of libvirt, and
 * for a name of the tap that nft would read as a pattern; and the errors of readFilter().
 */
export function decideTapRules(found: NetworkInterface, tap: string, owner: RulesOwner): readonly TapRules[] {
  const rules = [...decideFilter(found, tap, owner), ...decideLimit(found, tap, owner)];
  if (rules.length === 0 || RULE_DEVICE.test(tap)) return rules;
  const place = `${owner.place}/${found.filterref === undefined ? "bandwidth" : "filterref"}`;
  throw new SvirtError(
    `Cannot filter the frames of the tap ${tap}: its name has characters that nft interprets`,
    {
      kind: "unsupported",
      place,
      remedy: "Write a name of letters, digits, _ . and - into <target dev='…'/>.",
    },
  );
}

/** Decides the limit of the frames to a guest. virNetDevBandwidthSet() of libvirt */
export function decideShape({ bandwidth }: Pick<NetworkInterface, "bandwidth">): Shape | undefined {
  return shapeOf(bandwidth?.inbound);
}

/**
 * Decides the guaranteed share of the frames to a guest on the bridge of its network.
 * networkPlugBandwidthImpl() of libvirt
 */
export function decideFloor(found: NetworkInterface): Floor | undefined {
  const kilobytes = found.bandwidth?.inbound?.floor;
  if (kilobytes === undefined || found.type !== "network" || !isOnMadeBridge(found)) return undefined;
  const to = { bridge: found.source.bridge, mac: (found.mac?.address ?? "").toLowerCase() };
  return { to, bytesPerSecond: bytesOf(kilobytes) };
}

function decideFilter(
  { filterref, mac, type }: NetworkInterface,
  tap: string,
  { findFilter, place, uuid }: RulesOwner,
): readonly TapRules[] {
  if (filterref === undefined) return [];
  const at = `${place}/filterref`;
  if (type === "direct") {
    throw new SvirtError(
      `Cannot filter the frames of the macvtap ${tap}: only a tap can have a packet filter`,
      {
        kind: "unsupported",
        place: at,
        remedy: "Leave <filterref> out, or use a network with a bridge.",
      },
    );
  }
  const owner = { mac: (mac?.address ?? "").toLowerCase(), place: at };
  const { filters, rules, variables } = readFilter(filterref, owner, findFilter);
  const isBuiltIn = filters.every((name) => findBuiltIn(name) !== undefined);
  return [
    {
      table: filterTable(uuid, tap),
      tap,
      filter: filterref.filter,
      variables: variables.map(({ name, values }) => ({ name, values: [...values] })),
      ...(isBuiltIn ? {} : { defined: { filters: [...filters], rules: rules.map(recorded) } }),
    },
  ];
}

type RecordedRule = NonNullable<Extract<TapRules, { readonly filter: string }>["defined"]>["rules"][number];

/** Returns a rule as a guest's record keeps it. */
function recorded({ chain, chainPriority, rule }: ChainRule): RecordedRule {
  const { match, ...rest } = rule;
  const kept =
    match === undefined ? {} : { match: match.map(([field, value]): [Field, string] => [field, value]) };
  return { chain, chainPriority, rule: { ...rest, ...kept } };
}

function decideLimit(
  { bandwidth }: NetworkInterface,
  tap: string,
  { uuid }: RulesOwner,
): readonly TapRules[] {
  const limit = limitOf(bandwidth?.outbound);
  return limit === undefined ? [] : [{ table: limitTable(uuid, tap), tap, limit }];
}
