import type { DomainNote } from "../../state/reports/domain-notes.ts";
import type { GuestReport, KeptReports } from "../../state/reports/guest-reports.ts";
import { compareDevices, type DeviceChange } from "./device-events.ts";
import type { DomainEvent, DomainHappening, GuestFacts } from "./domain-events.ts";
import type { SeenFiles } from "./scan-folder.ts";

/** Event of a domain outside its lifecycle. */
type GuestHappening =
  | GuestReport
  | DomainNote
  | { readonly report: "device-added" | "device-removed"; readonly device: string };

/** Event of a kind. */
export type ReportOf<Name extends GuestHappening["report"]> = Extract<GuestHappening, { report: Name }>;

/** Reports whether an event is of the kind. */
export function isReport<Name extends GuestHappening["report"]>(
  what: GuestHappening,
  name: Name,
): what is ReportOf<Name> {
  return what.report === name;
}

/** Event of a running guest, or act of svirt on a domain. */
export interface GuestEvent {
  readonly of: "guest";
  readonly name: string;
  readonly uuid: string;
  /** Undefined if the domain is off. */
  readonly id: number | undefined;
  /** Name of the event. */
  readonly happened: GuestHappening["report"];
  readonly what: GuestHappening;
}

/** Guests and the last reports of their QEMUs at a moment. */
export interface GuestsSeen {
  readonly guests: ReadonlyMap<string, GuestFacts>;
  readonly reports: SeenFiles<KeptReports>;
}

/**
 * Returns the new reports of the guests in `before`. Each is followed by the event in the guest's life that
 * it stands for, if any.
 */
export function compareGuests(before: GuestsSeen, after: GuestsSeen): readonly (GuestEvent | DomainEvent)[] {
  return [...before.guests.values()].flatMap((guest) => [
    ...newReports(before, after, guest).flatMap((what) => eventsOf(guest, what)),
    ...newDevices(guest, after.guests.get(guest.uuid)).map(({ device, did }) =>
      eventOf(guest, { report: `device-${did}`, device }),
    ),
  ]);
}

function newReports(
  before: GuestsSeen,
  after: GuestsSeen,
  { startedMs, uuid }: GuestFacts,
): readonly GuestReport[] {
  const [was, now] = [before.reports.get(uuid)?.value, after.reports.get(uuid)?.value];
  if (now?.startedMs !== startedMs) return [];
  const last = was?.startedMs === startedMs ? (was.reports.at(-1)?.number ?? 0) : 0;
  return now.reports.filter(({ number }) => number > last).map(({ what }) => what);
}

function newDevices(guest: GuestFacts, after: GuestFacts | undefined): readonly DeviceChange[] {
  return after?.startedMs === guest.startedMs ? compareDevices(guest.steps, after.steps) : [];
}

function eventsOf(guest: GuestFacts, what: GuestReport): readonly (GuestEvent | DomainEvent)[] {
  const meant = meaningOf(what);
  const { id, name, uuid } = guest;
  const own = eventOf(guest, what);
  return meant === undefined ? [own] : [own, { of: "domain", name, uuid, id, happened: meant }];
}

function eventOf({ id, name, uuid }: GuestFacts, what: GuestHappening): GuestEvent {
  return { of: "guest", name, uuid, id, happened: what.report, what };
}

/**
 * Returns the event in a guest's life that a report means. qemuProcessHandle*() of libvirt's qemu_process.c
 */
function meaningOf(what: GuestReport): DomainHappening | undefined {
  switch (what.report) {
    case "io-error":
      return what.action === "stop" ? "suspended ioerror" : undefined;
    case "watchdog":
      return what.action === "pause" ? "suspended watchdog" : undefined;
    case "pm-wakeup":
      return "started wakeup";
    case "pm-suspend":
      return "pmsuspended memory";
    case "pm-suspend-disk":
      return "pmsuspended disk";
    case "panicked":
      return "crashed panicked";
    case "shutdown":
      return "shutdown by guest";
    default:
      return undefined;
  }
}
