import type { DomainState } from "./status.ts";

/** libvirt's number of each state, and its reasons by number, from 0. virDomainState, virDomain*Reason */
const STATES: ReadonlyMap<string, { readonly number: number; readonly reasons: readonly string[] }> = new Map(
  [
    [
      "running",
      {
        number: 1,
        reasons: [
          "unknown",
          "booted",
          "migrated",
          "restored",
          "from snapshot",
          "unpaused",
          "migration canceled",
          "save canceled",
          "event wakeup",
          "crashed",
          "post-copy",
          "post-copy failed",
        ],
      },
    ],
    [
      "paused",
      {
        number: 3,
        reasons: [
          "unknown",
          "user",
          "migrating",
          "saving",
          "dumping",
          "I/O error",
          "watchdog",
          "from snapshot",
          "shutting down",
          "creating snapshot",
          "crashed",
          "starting up",
          "post-copy",
          "post-copy failed",
          "api error",
        ],
      },
    ],
    ["in shutdown", { number: 4, reasons: ["unknown", "user"] }],
    [
      "shut off",
      {
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
    ],
    ["crashed", { number: 6, reasons: ["unknown", "panicked"] }],
    ["pmsuspended", { number: 7, reasons: ["unknown"] }],
  ],
);

/** Returns libvirt's numbers of a state and its reason; 0 if unknown. */
export function numberState({ reason, state }: DomainState): {
  readonly state: number;
  readonly reason: number;
} {
  const found = STATES.get(state);
  return { state: found?.number ?? 0, reason: Math.max(0, found?.reasons.indexOf(reason) ?? 0) };
}
