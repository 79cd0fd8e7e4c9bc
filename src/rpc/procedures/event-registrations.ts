import { SvirtError } from "../../errors.ts";
import type { LibvirtDomain } from "../../virterror.ts";
import type { EventKind } from "../../vm/events/event-kind.ts";
import { type Form, int, optional, struct } from "../xdr/form.ts";
import { aNumber, domain, nothing, secret, stored, text, uuidText } from "./objects.ts";
import { type Procedure, procedure } from "./procedure.ts";

/** Events of a sort of objects. */
interface EventFamily {
  /** Function of libvirt's API without its last word. */
  readonly api: `virConnect${"Domain" | "Network" | "StoragePool" | "NodeDevice" | "Secret"}Event`;
  /** Word before "event" in libvirtd's messages about IDs, and about registrations. */
  readonly words: { readonly id: string; readonly callback: string };
  /** Part of libvirt with the function. */
  readonly from: LibvirtDomain;
  /** Delivered kinds, by libvirt's IDs of events. */
  readonly kinds: ReadonlyMap<number, EventKind>;
  /** libvirt's IDs of events are less than this: VIR_DOMAIN_EVENT_ID_LAST and others of libvirt 11.3. */
  readonly last: number;
}

const DOMAIN: EventFamily = {
  api: "virConnectDomainEvent",
  words: { id: "", callback: "domain " },
  from: "DOMAIN",
  kinds: new Map([
    [0, "domain lifecycle"],
    [1, "reboot"],
    [2, "rtc-change"],
    [3, "watchdog"],
    [4, "io-error"],
    [5, "graphics"],
    [6, "io-error-reason"],
    [8, "block-job"],
    [9, "disk-change"],
    [10, "tray-change"],
    [11, "pm-wakeup"],
    [12, "pm-suspend"],
    [13, "balloon-change"],
    [14, "pm-suspend-disk"],
    [15, "device-removed"],
    [16, "block-job-2"],
    [17, "tunable"],
    [18, "agent-lifecycle"],
    [19, "device-added"],
    [21, "job-completed"],
    [22, "device-removal-failed"],
    [23, "metadata-change"],
    [25, "memory-failure"],
    [26, "memory-device-size-change"],
  ]),
  last: 28,
};
const NETWORK: EventFamily = {
  api: "virConnectNetworkEvent",
  words: { id: "network ", callback: "network " },
  from: "NETWORK",
  kinds: new Map([[0, "network lifecycle"]]),
  last: 2,
};
const POOL: EventFamily = {
  api: "virConnectStoragePoolEvent",
  words: { id: "storage pool ", callback: "storage pool " },
  from: "STORAGE",
  kinds: new Map([
    [0, "pool lifecycle"],
    [1, "pool refresh"],
  ]),
  last: 2,
};

const NODE_DEVICE: EventFamily = {
  api: "virConnectNodeDeviceEvent",
  words: { id: "node device ", callback: "node device " },
  from: "NODEDEV",
  kinds: new Map([
    [0, "nodedev lifecycle"],
    [1, "nodedev update"],
  ]),
  last: 2,
};
const SECRET: EventFamily = {
  api: "virConnectSecretEvent",
  // libvirtd's own words
  words: { id: "secret ", callback: "node device " },
  from: "SECRET",
  kinds: new Map([
    [0, "secret lifecycle"],
    [1, "secret value-changed"],
  ]),
  last: 2,
};

/** A device of the host, as a registration names it. remote_nonnull_node_device */
const device = struct({ name: text });

/** Procedures for a client's registrations for events. A registration for an undelivered event is refused. */
export const eventProcedures: readonly Procedure[] = [
  registering(316, DOMAIN, domain),
  deregistering(317, DOMAIN),
  registering(313, NETWORK, stored),
  deregistering(314, NETWORK),
  registering(368, POOL, stored),
  deregistering(369, POOL),
  registering(374, NODE_DEVICE, device),
  deregistering(375, NODE_DEVICE),
  registering(380, SECRET, secret),
  deregistering(381, SECRET),
];

function registering(number: number, family: EventFamily, object: Form<RegisteredObject>): Procedure {
  return procedure({
    number,
    api: `${family.api}RegisterAny`,
    args: struct({ event: int, object: optional(object) }),
    result: aNumber,
    async run({ args, session }) {
      const kind = family.kinds.get(args.event) ?? refuse(family, args.event);
      const uuid = args.object === undefined ? undefined : keyOf(args.object);
      return { value: await session.events.register({ kind, uuid }) };
    },
  });
}

/** An object of a client's events: devices have names alone. */
type RegisteredObject = { readonly uuid: Uint8Array } | { readonly name: string };

function keyOf(object: RegisteredObject): string {
  return "uuid" in object ? uuidText(object.uuid) : object.name;
}

function deregistering(number: number, family: EventFamily): Procedure {
  return procedure({
    number,
    api: `${family.api}DeregisterAny`,
    args: aNumber,
    result: nothing,
    run({ args, session }) {
      if (session.events.deregister(args.value, [...family.kinds.values()])) return {};
      throw unknown(`${family.words.callback}event callback ${args.value} not registered`);
    },
  });
}

function refuse({ api, from, last, words }: EventFamily, event: number): never {
  if (event < 0 || event >= last) throw unknown(`unsupported ${words.id}event ID ${event}`);
  // virReportUnsupportedError() of libvirt
  throw new SvirtError(`this function is not supported by the connection driver: ${api}RegisterAny`, {
    kind: "unsupported",
    libvirt: "NO_SUPPORT",
    from,
    remedy: "Ask for the state again from time to time: docs/clients.md lists the delivered events.",
  });
}

/**
 * remoteDispatchConnectDomainEventCallbackRegisterAny() and
 * remoteDispatchConnectDomainEventCallbackDeregisterAny() of libvirt
 */
function unknown(why: string): SvirtError {
  return new SvirtError(`internal error: ${why}`, {
    kind: "failed",
    from: "RPC",
    remedy: "Use the number that the registration has returned.",
  });
}
