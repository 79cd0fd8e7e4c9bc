import * as v from "valibot";
import type { ShutoffReason } from "../../state/shutoff-reason.ts";
import { recordedPlugs } from "./device-events.ts";
import type { SeenFiles } from "./scan-folder.ts";

/** Event in the life of a domain, and its detail. virDomainEventType of libvirt */
export type DomainHappening =
  | "defined added"
  | "defined updated"
  | "defined renamed"
  | "undefined removed"
  | "undefined renamed"
  | "started booted"
  | "started restored"
  | "started wakeup"
  | "suspended paused"
  | "suspended restored"
  | "suspended ioerror"
  | "suspended watchdog"
  | "resumed unpaused"
  | "resumed snapshot"
  | "shutdown by guest"
  | "shutdown by host"
  | "pmsuspended memory"
  | "pmsuspended disk"
  | "crashed panicked"
  | `stopped ${EndReason}`;

/** Reason for the end of a guest. "failed": its start. */
export type EndReason = Exclude<ShutoffReason, "failed">;

/** An event of a domain, with its state afterwards. */
export interface DomainEvent {
  readonly of: "domain";
  readonly name: string;
  readonly uuid: string;
  /** Undefined if the domain is off. What leads to its end comes before that. */
  readonly id: number | undefined;
  readonly happened: DomainHappening;
}

/** Fields of a record that events need. A change of other fields is no event. */
const guestFacts = v.object({
  uuid: v.string(),
  name: v.string(),
  id: v.number(),
  bootId: v.string(),
  state: v.picklist(["starting", "running", "stopping"]),
  startedMs: v.number(),
  process: v.exactOptional(v.object({ pid: v.number(), startTicks: v.number() })),
  reason: v.exactOptional(v.string()),
  change: v.exactOptional(v.object({ ends: v.exactOptional(v.string()) })),
  restored: v.exactOptional(v.literal(true)),
  told: v.exactOptional(v.object({ times: v.number(), to: v.picklist(["pause", "run"]) })),
  steps: recordedPlugs,
});
export type GuestFacts = v.InferOutput<typeof guestFacts>;

/** Reads the fields of a record without the schemas of all steps; undefined if they are damaged. */
export function parseGuestFacts(text: string): GuestFacts | undefined {
  try {
    return v.parse(guestFacts, JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Domains at a moment. */
export interface DomainsSeen {
  /** UUIDs of definitions, by their names. */
  readonly definitions: SeenFiles<string>;
  /** Started guests without an end, by their UUIDs. */
  readonly guests: ReadonlyMap<string, GuestFacts>;
}

/** Facts of the host about guests. */
interface HostFacts {
  readonly bootId: string;
  /** Whether the kernel has the process. */
  hasProcess(process: NonNullable<GuestFacts["process"]>): boolean;
}

/**
 * Returns the started guests without an end. A record in state "stopping" counts as a guest only if it ran
 * before, since otherwise its start has failed, and while its process exists: the record may stay, if a label
 * cannot be restored.
 */
export function guestsIn(
  records: SeenFiles<GuestFacts>,
  before: DomainsSeen["guests"],
  { bootId, hasProcess }: HostFacts,
): DomainsSeen["guests"] {
  const guests = [...records.values()].flatMap(({ value: guest }) => {
    const isEnding =
      guest.state === "stopping" &&
      isSameRun(before.get(guest.uuid), guest) &&
      (guest.process === undefined || hasProcess(guest.process));
    return guest.bootId === bootId && (guest.state === "running" || isEnding) ? [guest] : [];
  });
  return new Map(guests.map((guest) => [guest.uuid, guest]));
}

/**
 * Returns the events between two moments, ends first and starts last. Of several changes of a domain only the
 * last is seen, and of a guest started again its end too.
 */
export function compareDomains(
  before: DomainsSeen,
  after: DomainsSeen,
  reasonOf: (uuid: string) => EndReason,
): readonly DomainEvent[] {
  const ended = [...before.guests.values()]
    .filter((guest) => !isSameRun(after.guests.get(guest.uuid), guest))
    .flatMap((guest) =>
      endOf(guest, reasonOf(guest.uuid)).map((what): DomainEvent => {
        const { id, name, uuid } = guest;
        return { of: "domain", name, uuid, id: what.startsWith("stopped ") ? undefined : id, happened: what };
      }),
    );
  return [
    ...ended,
    ...removedDefinitions(before, after),
    ...newDefinitions(before, after),
    ...[...after.guests.values()].flatMap((guest) =>
      lifeOf(before.guests.get(guest.uuid), guest).map((what) => happened(after, guest, what)),
    ),
  ];
}

function removedDefinitions({ definitions }: DomainsSeen, after: DomainsSeen): readonly DomainEvent[] {
  const stays = uuidsOf(after);
  return [...definitions]
    .filter(([name, { value }]) => after.definitions.get(name)?.value !== value)
    .map(([name, { value }]) =>
      happened(after, { name, uuid: value }, stays.has(value) ? "undefined renamed" : "undefined removed"),
    );
}

function newDefinitions(before: DomainsSeen, after: DomainsSeen): readonly DomainEvent[] {
  const was = uuidsOf(before);
  return [...after.definitions].flatMap(([name, { mark, value }]) => {
    const known = before.definitions.get(name);
    if (known?.mark === mark) return [];
    if (known?.value === value) return [happened(after, { name, uuid: value }, "defined updated")];
    return [happened(after, { name, uuid: value }, was.has(value) ? "defined renamed" : "defined added")];
  });
}

function uuidsOf({ definitions }: DomainsSeen): ReadonlySet<string> {
  return new Set([...definitions.values()].map(({ value }) => value));
}

/**
 * Returns the events of an end, in libvirt's order: a save, and a dump that ends the guest, stop the vCPUs
 * first, and QEMU reports who ends it. qemuDomainSaveInternal(), qemuDomainCoreDumpWithFormat() and
 * qemuProcessHandleShutdown()
 */
function endOf({ change, told }: GuestFacts, reason: EndReason): readonly DomainHappening[] {
  const isByChange = reason === "saved" || change?.ends === reason;
  const isByHost = isByChange || reason === "destroyed";
  return [
    ...(isByChange && told?.to !== "pause" ? ["suspended paused" as const] : []),
    ...(isByHost ? ["shutdown by host" as const] : []),
    `stopped ${reason}`,
  ];
}

/** Returns the events of a guest without an end. */
function lifeOf(before: GuestFacts | undefined, guest: GuestFacts): readonly DomainHappening[] {
  if (!isSameRun(before, guest)) return startOf(guest);
  const { told } = guest;
  if (told === undefined || told.times === before?.told?.times) return [];
  return [told.to === "pause" ? "suspended paused" : "resumed unpaused"];
}

/**
 * Returns the events of a start, in libvirt's order: it reports the running vCPUs of a new guest before the
 * start, and of a saved state after it. qemuProcessStart() and qemuSaveImageStartVM()
 */
function startOf({ restored, told }: GuestFacts): readonly DomainHappening[] {
  const isPaused = told?.to === "pause";
  if (restored !== true) {
    if (isPaused && told.times === 0) return ["started booted", "suspended paused"];
    return ["resumed unpaused", "started booted", ...(isPaused ? ["suspended paused" as const] : [])];
  }
  if (isPaused && told.times === 0) return ["started restored", "suspended restored"];
  return ["started restored", "resumed snapshot", ...(isPaused ? ["suspended paused" as const] : [])];
}

function isSameRun(
  one: Pick<GuestFacts, "startedMs"> | undefined,
  other: Pick<GuestFacts, "startedMs">,
): boolean {
  return one?.startedMs === other.startedMs;
}

function happened(
  { guests }: DomainsSeen,
  { name, uuid }: { readonly name: string; readonly uuid: string },
  what: DomainHappening,
): DomainEvent {
  return { of: "domain", name, uuid, id: guests.get(uuid)?.id, happened: what };
}
