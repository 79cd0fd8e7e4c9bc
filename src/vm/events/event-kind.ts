import type { HappenedEvent } from "./watch-events.ts";

/** Kind of delivered events. No others are known. */
export type EventKind = "domain lifecycle" | "network lifecycle" | "pool lifecycle" | "pool refresh";

/** Returns the kind of an event. */
export function kindOf(event: HappenedEvent): EventKind {
  if (event.of === "pool" && event.happened === "refreshed") return "pool refresh";
  return `${event.of} lifecycle`;
}
