import type { PoolNote } from "../../../state/pools/pool-notes.ts";
import type { DomainHappening } from "../../../vm/events/domain-events.ts";
import { type EventKind, type GuestEventKind, kindsOf } from "../../../vm/events/event-kind.ts";
import type { GuestEvent } from "../../../vm/events/guest-events.ts";
import type { NodeDeviceEvent } from "../../../vm/events/node-device-events.ts";
import type { SecretEvent } from "../../../vm/events/secret-events.ts";
import type { StoredHappening } from "../../../vm/events/stored-events.ts";
import type { HappenedEvent } from "../../../vm/events/watch-events.ts";
import { type Form, int, struct } from "../../xdr/form.ts";
import { domain, remoteDomain, remoteSecret, remoteStored, secret, stored, text } from "../objects.ts";
import type { EventMessage } from "./event-message.ts";
import { guestMessage, isGuestKind } from "./guest-messages.ts";

/**
 * Message of each kind: REMOTE_PROC_DOMAIN_EVENT_CALLBACK_LIFECYCLE and others of libvirt's remote_protocol.x
 */
const PROCEDURES: Readonly<Record<Exclude<EventKind, GuestEventKind>, number>> = {
  "domain lifecycle": 318,
  "network lifecycle": 315,
  "pool lifecycle": 370,
  "pool refresh": 373,
  "nodedev lifecycle": 376,
  "nodedev update": 377,
  "secret lifecycle": 382,
  "secret value-changed": 383,
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
  "resumed snapshot": [4, 2],
  "shutdown by guest": [6, 1],
  "shutdown by host": [6, 2],
  "pmsuspended memory": [7, 0],
  "pmsuspended disk": [7, 1],
  "crashed panicked": [8, 0],
  "stopped shutdown": [5, 0],
  "stopped destroyed": [5, 1],
  "stopped crashed": [5, 2],
  "stopped saved": [5, 4],
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
const ofSecret = struct({ callback: int, secret, event: int, detail: int });
const ofValue = struct({ callback: int, secret });
const ofDevice = struct({ callback: int, device: struct({ name: text }), event: int, detail: int });
const ofUpdate = struct({ callback: int, device: struct({ name: text }) });
const ofRefresh = struct({ callback: int, object: stored });

/**
 * Returns the message about an event for the registration with the ID; undefined if the event is of another
 * kind.
 */
export function messageOf(kind: EventKind, callback: number, event: HappenedEvent): EventMessage | undefined {
  if (event.of === "guest") return isGuestKind(kind) ? guestMessage(kind, callback, event) : undefined;
  if (isGuestKind(kind) || !kindsOf(event).includes(kind)) return undefined;
  return { procedure: PROCEDURES[kind], payload: payloadOf(callback, event) };
}

function payloadOf(callback: number, event: Exclude<HappenedEvent, GuestEvent>): EventMessage["payload"] {
  switch (event.of) {
    case "domain": {
      const [number, detail] = DOMAIN_NUMBERS[event.happened];
      return encoded(ofDomain, { callback, dom: remoteDomain(event), event: number, detail });
    }
    case "secret":
      return ofSecretEvent(callback, event);
    case "nodedev":
      return ofDeviceEvent(callback, event);
    case "network":
    case "pool": {
      const object = remoteStored(event);
      if (event.happened === "refreshed") return encoded(ofRefresh, { callback, object });
      return encoded(ofStored, { callback, object, event: STORED_NUMBERS[event.happened], detail: 0 });
    }
  }
}

/** VIR_SECRET_EVENT_DEFINED and _UNDEFINED of libvirt's libvirt-secret.h */
function ofSecretEvent(callback: number, event: SecretEvent): EventMessage["payload"] {
  const about = { callback, secret: remoteSecret(event) };
  if (event.happened === "value changed") return encoded(ofValue, about);
  return encoded(ofSecret, { ...about, event: event.happened === "defined" ? 0 : 1, detail: 0 });
}

/** VIR_NODE_DEVICE_EVENT_CREATED and _DELETED of libvirt's libvirt-nodedev.h */
function ofDeviceEvent(callback: number, event: NodeDeviceEvent): EventMessage["payload"] {
  const about = { callback, device: { name: event.name } };
  if (event.happened === "updated") return encoded(ofUpdate, about);
  return encoded(ofDevice, { ...about, event: event.happened === "created" ? 0 : 1, detail: 0 });
}

function encoded<Value>(form: Form<Value>, value: Value): EventMessage["payload"] {
  const payload: Uint8Array[] = [];
  form.encode(value, payload);
  return payload;
}
