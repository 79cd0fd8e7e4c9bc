import type { ShareStep } from "./host.ts";

const NAMES: Readonly<Record<ShareStep["do"], true>> = {
  "hand-tap": true,
  "take-tap": true,
  "hand-display": true,
  "set-up-tap": true,
  "remove-tap": true,
  "make-macvtap": true,
  "remove-macvtap": true,
  "make-group": true,
  "remove-group": true,
  "tune-threads": true,
  "set-limits": true,
};

/** Reports whether a step is a ShareStep. */
export function isShareStep(step: { readonly do: string }): step is ShareStep {
  return Object.hasOwn(NAMES, step.do);
}

/** Returns the inverse of a step; undefined if it has none. */
export function inverseShare(done: ShareStep): ShareStep | undefined {
  switch (done.do) {
    case "hand-tap": {
      const { monitor, tap } = done;
      return { do: "take-tap", monitor, descriptors: [...tap.queues, ...tap.vhosts] };
    }
    case "set-up-tap":
      return { do: "remove-tap", name: done.setup.name, mac: done.setup.mac };
    case "make-macvtap":
      return { do: "remove-macvtap", name: done.link.name, group: done.link.group };
    case "make-group":
      return { do: "remove-group", path: done.group.path };
    case "tune-threads": {
      const { before, wishes } = done;
      if (before === undefined || before.length === 0) return undefined;
      return { ...done, wishes: before, before: wishes };
    }
    case "set-limits":
      return {
        ...done,
        limits: done.limits.map((limit) => ({ ...limit, value: limit.before, before: limit.value })),
      };
    case "hand-display":
    case "take-tap":
    case "remove-tap":
    case "remove-macvtap":
    case "remove-group":
      return undefined;
  }
}
