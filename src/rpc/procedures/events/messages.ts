import type { PoolNote } from "../../../state/pool-notes.ts";
import type { DomainHappening } from "../../../vm/events/domain-events.ts";
import { type EventKind, kindOf } from "../../../vm/events/event-kind.ts";
import type { StoredHappening } from "../../../vm/events/stored-events.ts";
import type { HappenedEvent } from "../../../vm/events/watch-events.ts";
import { int, struct } from "../../xdr/form.ts";
import { domain, remoteDomain, remoteStored, stored } from "../objects.ts";

/** Message to a client: its number and its encoded arguments. */
export interface EventMessage {
  readonly procedure: number;
  readonly payload: readonly Uint8Array[];
}

/** Message of each kind: REMOTE_PROC_DOMAIN_EVENT_CALLBACK_LIFECYCLE and others of libvirt's remote_protocol.x */
const PROCEDURES: Readonly<Record<EventKind, number>> = {
  "domain lifecycle": 318,
  "network lifecycle": 315,
  "pool lifecycle": 370,
  "pool refresh": 373,
};

/** virDomainEventType of libvirt, and its detail. A guest whose end no file explains has failed. */
const DOMAIN_NUMBERS: Readonly<Record<DomainHappening, readonly [event: number, detail: number]>> = {
  "defined added": [0, 0],
  "defined updated": [0, 1],
  "defined renamed": [0, 2],
  "undefined removed": [1, 0],
  "undefined renamed": [1, 1],
  "started booted": [2, 0],
  "started restored": [2, 2],
  "suspended paused": [3, 0],
  "suspended restored": [3, 4],
  "resumed unpaused": [4, 0],
  "stopped shutdown": [5, 0],
  "stopped destroyed": [5, 1],
  "stopped crashed": [5, 2],
  "stopped saved": [5, 4],
  "stopped failed": [5, 5],
  "stopped unknown": [5, 5],
};

/** virNetworkEventLifecycleType and virStoragePoolEventLifecycleType of libvirt; the first four are equal. */
const STORED_NUMBERS: Readonly<Record<StoredHappening | Exclude<PoolNote, "refreshed">, number>> = {
  defined: 0,
  undefined: 1,
  started: 2,
  stopped: 3,
  created: 4,
  deleted: 5,
};

const ofDomain = struct({ callback: int, dom: domain, event: int, detail: int });
const ofStored = struct({ callback: int, object: stored, event: int, detail: int });
const ofRefresh = struct({ callback: int, object: stored });

/** Returns the message that reports an event to the registration with that ID. */
export function messageOf(callback: number, event: HappenedEvent): EventMessage {
  const payload: Uint8Array[] = [];
  if (event.of === "domain") {
    const [number, detail] = DOMAIN_NUMBERS[event.happened];
    ofDomain.encode({ callback, dom: remoteDomain(event), event: number, detail }, payload);
  } else if (event.happened === "refreshed") {
    ofRefresh.encode({ callback, object: remoteStored(event) }, payload);
  } else {
    const number = STORED_NUMBERS[event.happened];
    ofStored.encode({ callback, object: remoteStored(event), event: number, detail: 0 }, payload);
  }
  return { procedure: PROCEDURES[kindOf(event)], payload };
}
