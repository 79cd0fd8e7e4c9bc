import type { Field, FilterRule } from "./filter-rule.ts";

/** Fields of the two ends of a frame. */
const ENDS: readonly (readonly [source: Field, destination: Field])[] = [
  ["source MAC", "destination MAC"],
  ["source IPv4", "destination IPv4"],
  ["source IPv6", "destination IPv6"],
  ["source UDP port", "destination UDP port"],
  ["source port", "destination port"],
  ["sender MAC", "target MAC"],
  ["sender IPv4", "target IPv4"],
];
const OTHER_END: ReadonlyMap<Field, Field> = new Map(
  ENDS.flatMap(([source, destination]) => [
    [source, destination],
    [destination, source],
  ]),
);

/**
 * Returns a rule as it compares frames from the guest. A rule of both directions is written for frames to the
 * guest, so its source is the destination of frames from it. ebiptablesCreateRuleInstance() of libvirt
 */
export function asOutgoing(rule: FilterRule): FilterRule {
  if (rule.direction !== "inout" || rule.match === undefined) return rule;
  return { ...rule, match: rule.match.map(([field, value]) => [OTHER_END.get(field) ?? field, value]) };
}
