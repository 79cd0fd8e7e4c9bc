import { guestPaths } from "../plan/paths.ts";
import type { Instance } from "./instance.ts";
import { endNotesFolder, type GuestRecord, isRunning, listRecorded } from "./record.ts";

/** Fields of a running guest's record that lists of guests need. */
export type RunningGuest = Pick<GuestRecord, "id" | "name" | "process" | "uuid">;

/**
 * Returns all guests, in the order of their ids, if each one runs and has no unfinished change or job: the usual case. Then
 * no record needs the schema of all steps, which takes longer to make than the rest of `svirt list`. Undefined if a record is
 * damaged in the fields read here, or needs work.
 */
export function readIdleGuests(instance: Instance): RunningGuest[] | undefined {
  const guests: RunningGuest[] = [];
  for (const recorded of listRecorded(instance)) {
    const text = instance.host.readText(guestPaths(instance.paths, recorded).record);
    // The guest has ended since.
    if (text === undefined) continue;
    const guest = readIdle(instance, text);
    if (guest === undefined) return undefined;
    guests.push(guest);
  }
  // Notes of ends for which the disk had no room.
  if (guests.length > 0 && instance.host.listFolder(endNotesFolder(instance)).length > 0) return undefined;
  return guests.length < 2 ? guests : guests.sort((a, b) => a.id - b.id);
}

/** Reads the fields of a record; undefined if they are damaged, or the guest does not run or needs work. */
function readIdle(instance: Instance, text: string): RunningGuest | undefined {
  const { bootId, change, format, id, jobs, name, process, state, uuid } = parseFields(text);
  if (format !== 1 || change !== undefined || jobs !== undefined) return undefined;
  if (typeof uuid !== "string" || typeof name !== "string" || typeof id !== "number") return undefined;
  if (state !== "running" || typeof bootId !== "string" || !isProcessId(process)) return undefined;
  return isRunning(instance, { state, bootId, process }) ? { id, name, uuid, process } : undefined;
}

/** Returns no field for a text that is not a JSON object. */
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
