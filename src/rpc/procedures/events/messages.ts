import type { PoolNote } from "../../../state/pool-notes.ts";
import type { DomainHappening } from "../../../vm/events/domain-events.ts";
import { type EventKind, type GuestEventKind, kindsOf } from "../../../vm/events/event-kind.ts";
import type { StoredHappening } from "../../../vm/events/stored-events.ts";
import type { HappenedEvent } from "../../../vm/events/watch-events.ts";
import { int, struct } from "../../xdr/form.ts";
import { domain, remoteDomain, remoteStored, stored } from "../objects.ts";
import type { EventMessage } from "./event-message.ts";
import { guestMessage, isGuestKind } from "./guest-messages.ts";

/** Message of each kind: REMOTE_PROC_DOMAIN_EVENT_CALLBACK_LIFECYCLE and others of libvirt's remote_protocol.x */
const PROCEDURES: Readonly<Record<Exclude<EventKind, GuestEventKind>, number>> = {
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
  "started wakeup": [2, 4],
  "suspended paused": [3, 0],
  "suspended ioerror": [3, 2],
  "suspended watchdog": [3, 3],
  "suspended restored": [3, 4],
  "resumed unpaused": [4, 0],
  "shutdown by guest": [6, 1],
  "pmsuspended memory": [7, 0],
  "pmsuspended disk": [7, 1],
  "crashed panicked": [8, 0],
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

/** Returns the message that reports an event to the registration with that ID; undefined if the event is of another kind. */
export function messageOf(kind: EventKind, callback: number, event: HappenedEvent): EventMessage | undefined {
  if (event.of === "guest") return isGuestKind(kind) ? guestMessage(kind, callback, event) : undefined;
  if (isGuestKind(kind) || !kindsOf(event).includes(kind)) return undefined;
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
  return { procedure: PROCEDURES[kind], payload };
}
