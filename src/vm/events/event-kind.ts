import type { GuestEvent } from "./guest-events.ts";
import type { HappenedEvent } from "./watch-events.ts";

/**
 * Kind of events of running guests, by virsh's names. The end of a guest and its crash are events of its life
 * alone.
 */
export type GuestEventKind =
  | Exclude<GuestEvent["happened"], "panicked" | "shutdown">
  | "io-error-reason"
  | "block-job-2";

/** Kind of delivered events. No others are known. */
export type EventKind =
  | "domain lifecycle"
  | "network lifecycle"
  | "pool lifecycle"
  | "pool refresh"
  | "secret lifecycle"
  | "secret value-changed"
  | "nodedev lifecycle"
  | "nodedev update"
  | GuestEventKind;

/** Returns the kinds of an event: libvirt has two for an error of a disk and for a job on its images. */
export function kindsOf(event: HappenedEvent): readonly EventKind[] {
  if (event.of === "pool" && event.happened === "refreshed") return ["pool refresh"];
  if (event.of === "secret" && event.happened === "value changed") return ["secret value-changed"];
  if (event.of === "nodedev" && event.happened === "updated") return ["nodedev update"];
  if (event.of !== "guest") return [`${event.of} lifecycle`];
  switch (event.happened) {
    case "panicked":
    case "shutdown":
      return [];
    case "io-error":
      return ["io-error", "io-error-reason"];
    case "block-job":
      return ["block-job", "block-job-2"];
    default:
      return [event.happened];
  }
}

/** Reports whether events of the kind are about devices of the host. */
export function isDeviceKind(kind: EventKind): boolean {
  return kind === "nodedev lifecycle" || kind === "nodedev update";
}
