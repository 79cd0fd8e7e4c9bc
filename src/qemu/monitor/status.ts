import type { QmpMessage } from "./qmp.ts";

/** State of a domain and its reason, by virsh's names: `domstate --reason` prints "paused (user)". */
export interface DomainState {
  readonly state: "running" | "paused" | "in shutdown" | "shut off" | "crashed" | "pmsuspended";
  readonly reason: string;
}

/**
 * QMP RunState -> libvirt's state and reason; names from virsh-domain-monitor.c, pairs from qemu_monitor.c.
 */
const STATES: ReadonlyMap<string, DomainState> = new Map<string, DomainState>([
  ["running", { state: "running", reason: "unknown" }],
  ["paused", { state: "paused", reason: "user" }],
  ["prelaunch", { state: "paused", reason: "starting up" }],
  ["inmigrate", { state: "paused", reason: "migrating" }],
  ["postmigrate", { state: "paused", reason: "migrating" }],
  ["finish-migrate", { state: "paused", reason: "migrating" }],
  ["io-error", { state: "paused", reason: "I/O error" }],
  ["save-vm", { state: "paused", reason: "saving" }],
  ["restore-vm", { state: "paused", reason: "unknown" }],
  ["internal-error", { state: "paused", reason: "unknown" }],
  ["debug", { state: "paused", reason: "unknown" }],
  ["colo", { state: "paused", reason: "unknown" }],
  ["shutdown", { state: "paused", reason: "shutting down" }],
  ["watchdog", { state: "paused", reason: "watchdog" }],
  ["guest-panicked", { state: "paused", reason: "crashed" }],
  ["suspended", { state: "pmsuspended", reason: "unknown" }],
]);

/** Reason of the event SHUTDOWN -> reason of the end. qemu.git qapi/run-state.json ShutdownCause */
const ENDS: ReadonlyMap<string, string> = new Map([
  ["guest-shutdown", "shutdown"],
  ["guest-reset", "shutdown"],
  ["guest-panic", "crashed"],
  ["host-error", "failed"],
]);

/** Returns the state for the `status` of query-status. qemu.git qapi/run-state.json RunState */
export function decideState(runState: string): DomainState {
  return STATES.get(runState) ?? { state: "paused", reason: "unknown" };
}

/** Returns the state after an event; undefined if the event does not change it. */
export function decideStateAfter(event: QmpMessage & { readonly is: "event" }): DomainState | undefined {
  switch (event.name) {
    case "RESUME":
      return { state: "running", reason: "unpaused" };
    case "STOP":
      return { state: "paused", reason: "user" };
    case "SUSPEND":
    case "SUSPEND_DISK":
      return { state: "pmsuspended", reason: "unknown" };
    case "WAKEUP":
      return { state: "running", reason: "event wakeup" };
    case "POWERDOWN":
      return { state: "in shutdown", reason: "user" };
    case "BLOCK_IO_ERROR":
      return event.facts.get("action") === "stop" ? { state: "paused", reason: "I/O error" } : undefined;
    case "WATCHDOG":
      return event.facts.get("action") === "pause" ? { state: "paused", reason: "watchdog" } : undefined;
    case "GUEST_PANICKED":
      return { state: "crashed", reason: "panicked" };
    case "SHUTDOWN":
      return { state: "shut off", reason: ENDS.get(String(event.facts.get("reason"))) ?? "destroyed" };
    default:
      return undefined;
  }
}
