import type { StartDecision } from "../../plan/actions/start.ts";
import type { PlannedTap } from "../../plan/decide/tap.ts";

/** Returns how the start sets up the guest's taps on the host, and their rules and limits. */
export function hostEnds(
  planned: readonly PlannedTap[],
): Pick<StartDecision, "taps" | "macvtaps" | "rules" | "shapes" | "floors"> {
  return {
    taps: planned.flatMap(({ setup }) => setup ?? []),
    macvtaps: planned.flatMap(({ link }) => link ?? []),
    rules: planned.flatMap(({ isMade, rules = [] }) => rules.map((one) => ({ rules: one, isMade }))),
    floors: planned.flatMap(({ floor, name }) => (floor === undefined ? [] : [{ tap: name, floor }])),
    shapes: planned.flatMap(({ name, shape }) => (shape === undefined ? [] : [{ tap: name, shape }])),
  };
}
