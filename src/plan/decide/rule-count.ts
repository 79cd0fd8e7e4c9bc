import { SvirtError } from "../../errors.ts";
import type { TapRules } from "../facts/tap.ts";

/**
 * Bound of the rules of defined filters on all taps of a guest: its record has each of them. libvirt has
 * none.
 */
const MOST_GUEST_RULES = 10_000;

/** Throws "unsupported" if the taps of a guest have too many rules of defined filters together. */
export function refuseManyRules(ofTaps: readonly TapRules[], place: string): void {
  let count = 0;
  for (const rules of ofTaps) count += "filter" in rules ? (rules.defined?.rules.length ?? 0) : 0;
  if (count <= MOST_GUEST_RULES) return;
  throw new SvirtError(
    `Cannot filter the frames of the guest: the filters of its interfaces have more than ${MOST_GUEST_RULES} rules together`,
    { kind: "unsupported", place: `${place}/filterref`, remedy: "Use filters of fewer rules." },
  );
}
