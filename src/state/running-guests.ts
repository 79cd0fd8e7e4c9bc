import { guestPaths } from "../plan/paths.ts";
import type { Instance } from "./instance.ts";
import { endNotesFolder, type GuestRecord, isRunning, listRecorded } from "./record.ts";

/** Fields of a running guest's record for lists of guests. */
export type RunningGuest = Pick<GuestRecord, "id" | "name" | "process" | "uuid">;

/** Fields of any guest's record that are read without the schema of all steps. */
export interface BriefRecord extends RunningGuest, Pick<GuestRecord, "bootId" | "state"> {
  /** Whether it has an unfinished change or a job, or a snapshot has frozen its file systems. */
  readonly hasWork: boolean;
  /** Whether it was asked to release a device, and has it perhaps still. */
  readonly isAsked: boolean;
}

/**
 * Returns all guests, in the order of their ids, if each of them runs and no concerned guest has work: the
 * usual case. Then no record needs the schema of all steps, with a longer construction than the rest of
 * `svirt list`. Undefined if a record is damaged in the fields read here, or needs work. Without
 * `isConcerned` all are concerned, and devices requested from guests are no work: a guest may keep them for
 * ever.
 */
export function readIdleGuests(
  instance: Instance,
  isConcerned?: (guest: RunningGuest) => boolean,
): RunningGuest[] | undefined {
  const guests: RunningGuest[] = [];
  for (const guest of readBriefs(instance)) {
    if (guest?.process === undefined || !isRunning(instance, guest)) return undefined;
    if (needsWork(guest, isConcerned)) return undefined;
    const { id, name, process, uuid } = guest;
    guests.push({ id, name, uuid, process });
  }
  // Notes of ends without room on the disk.
  if (guests.length > 0 && instance.host.listFolder(endNotesFolder(instance)).length > 0) return undefined;
  return guests.length < 2 ? guests : guests.sort((a, b) => a.id - b.id);
}

function needsWork(guest: BriefRecord, isConcerned?: (guest: RunningGuest) => boolean): boolean {
  const { hasWork, isAsked } = guest;
  return isConcerned === undefined ? hasWork : (hasWork || isAsked) && isConcerned(guest);
}

/** Returns the UUIDs of guests by their id or name; they need not run. Reads less than readRecords() does. */
export function findRecorded(instance: Instance, by: "id" | "name", key: string): readonly string[] {
  return readBriefs(instance).flatMap((guest) =>
    guest !== undefined && String(guest[by]) === key ? [guest.uuid] : [],
  );
}

/** Returns undefined for each record damaged in the fields read here. */
function readBriefs(instance: Instance): readonly (BriefRecord | undefined)[] {
  const read = (): readonly (BriefRecord | undefined)[] =>
    listRecorded(instance).flatMap((recorded) => {
      const text = instance.host.readText(guestPaths(instance.paths, recorded).record);
      // The guest has ended since.
      return text === undefined ? [] : [readBrief(text)];
    });
  return instance.memory === undefined ? read() : instance.memory.briefs(instance, read);
}

function readBrief(text: string): BriefRecord | undefined {
  const { asked, bootId, change, format, frozen, id, jobs, name, process, state, uuid } = parseFields(text);
  if (format !== 1 || typeof uuid !== "string" || typeof name !== "string" || typeof id !== "number")
    return undefined;
  if (!isState(state) || typeof bootId !== "string") return undefined;
  const hasWork = change !== undefined || jobs !== undefined || frozen === true;
  const brief = { id, name, uuid, bootId, state, hasWork, isAsked: asked !== undefined };
  return isProcessId(process) ? { ...brief, process } : brief;
}

function isState(value: unknown): value is GuestRecord["state"] {
  return value === "running" || value === "starting" || value === "stopping";
}

/** Returns no field for a text other than a JSON object. */
function parseFields(text: string): Partial<Record<keyof GuestRecord, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

function isProcessId(value: unknown): value is NonNullable<GuestRecord["process"]> {
  return (
    typeof value === "object" &&
    value !== null &&
    "pid" in value &&
    typeof value.pid === "number" &&
    "startTicks" in value &&
    typeof value.startTicks === "number"
  );
}
