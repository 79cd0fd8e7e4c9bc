import type { DomainState } from "../../qemu/monitor/status.ts";

/** virDomainState, and the reasons of each state in the order of their numbers. libvirt-domain.h; names as in virsh */
const STATES: Readonly<
  Record<DomainState["state"], { readonly number: number; readonly reasons: readonly string[] }>
> = {
  running: {
    number: 1,
    reasons: [
      ...["unknown", "booted", "migrated", "restored", "from snapshot", "unpaused"],
      ...["migration canceled", "save canceled", "event wakeup", "crashed", "post-copy", "post-copy failed"],
    ],
  },
  paused: {
    number: 3,
    reasons: [
      ...["unknown", "user", "migrating", "saving", "dumping", "I/O error", "watchdog", "from snapshot"],
      ...["shutting down", "creating snapshot", "crashed", "starting up", "post-copy", "post-copy failed"],
      "api error",
    ],
  },
  "in shutdown": { number: 4, reasons: ["unknown", "user"] },
  "shut off": {
    number: 5,
    reasons: [
      "unknown",
      "shutdown",
      "destroyed",
      "crashed",
      "migrated",
      "saved",
      "failed",
      "from snapshot",
      "daemon",
    ],
  },
  crashed: { number: 6, reasons: ["unknown", "panicked"] },
  pmsuspended: { number: 7, reasons: ["unknown"] },
};

/** Returns libvirt's numbers of a state and its reason; 0, unknown, for a reason that libvirt does not have. */
export function stateNumbers({ reason, state }: DomainState): {
  readonly state: number;
  readonly reason: number;
} {
  const { number, reasons } = STATES[state];
  return { state: number, reason: Math.max(0, reasons.indexOf(reason)) };
}
