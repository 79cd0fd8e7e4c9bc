import type { PoolNote } from "../../state/pools/pool-notes.ts";
import type { SeenFiles } from "./scan-folder.ts";

/**
 * Event in the life of a network or a pool. virNetworkEventLifecycleType and virStoragePoolEventLifecycleType
 * of libvirt
 */
export type StoredHappening = "defined" | "undefined" | "started" | "stopped";

/** An event of a network. */
export interface NetworkEvent {
  readonly of: "network";
  readonly name: string;
  readonly uuid: string;
  readonly happened: StoredHappening;
}

/** An event of a storage pool. */
export interface PoolEvent {
  readonly of: "pool";
  readonly name: string;
  readonly uuid: string;
  readonly happened: StoredHappening | PoolNote;
}

/** Networks or pools at a moment: UUIDs by names. */
export interface StoredSeen {
  readonly defined: SeenFiles<string>;
  readonly active: SeenFiles<string>;
}

/** An object, and what happened to it. */
interface Change {
  readonly name: string;
  readonly uuid: string;
  readonly happened: StoredHappening;
}

/**
 * Returns the events between two moments, ends first and starts last. A change of an active object's XML is
 * no event, as in libvirt.
 */
export function compareStored(before: StoredSeen, after: StoredSeen): readonly Change[] {
  return [
    ...missing(before.active, after.active, "stopped"),
    ...missing(before.defined, after.defined, "undefined"),
    ...[...after.defined]
      .filter(([name, { mark }]) => before.defined.get(name)?.mark !== mark)
      .map(([name, { value }]) => ({ name, uuid: value, happened: "defined" as const })),
    ...missing(after.active, before.active, "started"),
  ];
}

/** Returns an event for each object of a moment missing at the other. */
function missing(
  one: SeenFiles<string>,
  other: SeenFiles<string>,
  happened: StoredHappening,
): readonly Change[] {
  return [...one]
    .filter(([name, { value }]) => other.get(name)?.value !== value)
    .map(([name, { value }]) => ({ name, uuid: value, happened }));
}
