import { asSvirtError, SvirtError } from "../errors.ts";
import { guestPaths, recordsFolder } from "../plan/paths.ts";
import type { GuestIdentity } from "../run/process/kill-guest.ts";
import { LastTexts } from "../xml/keep-last.ts";
import type { Instance } from "./instance.ts";
import type { GuestRecord } from "./record/record-schema.ts";
import { seal, unseal } from "./record/seal.ts";

// Rule: The record is on disk before the first step.

export type { GuestChange, GuestRecord } from "./record/record-schema.ts";

/** Returns a guest's record; undefined if the guest is off. Throws "failed" if the record is damaged. */
export function readRecord(instance: Instance, uuid: string): GuestRecord | undefined {
  const path = guestPaths(instance.paths, uuid).record;
  const text = instance.host.readText(path);
  if (text === undefined) return undefined;
  const note = instance.host.readText(noteFile(instance, uuid));
  try {
    return parse(instance, text, note);
  } catch (error) {
    throw new SvirtError(`Cannot read the record ${path}: it is damaged`, {
      kind: "failed",
      remedy:
        "Compare it with docs/state.md; or move it to another folder, end the guest's QEMU, and run: svirt audit",
      cause: error,
    });
  }
}

/** Returns the name of the guest that owns a claim; its UUID if it has no record. */
export function ownerName(instance: Instance, { owner }: { readonly owner: string }): string {
  return readRecord(instance, owner)?.name ?? owner;
}

/**
 * Returns all guests' records, in the order of their ids. A damaged record does not affect other guests: its
 * error goes to `onDamaged`, for a warning.
 */
export function readRecords(
  instance: Instance,
  onDamaged: (error: SvirtError, uuid: string) => void = () => undefined,
): GuestRecord[] {
  const guests: GuestRecord[] = [];
  for (const uuid of listRecorded(instance)) {
    try {
      const guest = readRecord(instance, uuid);
      if (guest !== undefined) guests.push(guest);
    } catch (error) {
      onDamaged(asSvirtError(error), uuid);
    }
  }
  return guests.sort((a, b) => a.id - b.id);
}

/** Suffix of the names of records; a partly written record has a different suffix. */
const RECORD_SUFFIX = ".json";

/** Returns the UUIDs of all guests with a record. */
export function listRecorded({ host, paths }: Instance): string[] {
  return host
    .listFolder(recordsFolder(paths))
    .filter((name) => name.endsWith(RECORD_SUFFIX))
    .map((name) => name.slice(0, -RECORD_SUFFIX.length));
}

/** Records that are kept: of all guests that a client's connection asks for again and again. */
const MOST_KEPT = 100;

/** Records that were read, and by which build. A command reads the same record up to thirty times. */
const kept = new LastTexts<{ readonly build: string | undefined; readonly guest: GuestRecord }>(MOST_KEPT);

function parse(instance: Instance, text: string, note: string | undefined): GuestRecord {
  const guest = parseText(instance, text);
  if (note === undefined) return guest;
  const { addEndNote }: typeof import("./record/record-schema.ts") = require("./record/record-schema.ts");
  return addEndNote(guest, note);
}

function parseText(instance: Instance, text: string): GuestRecord {
  const { build } = instance;
  const known = kept.get(text);
  if (known !== undefined && known.build === build) return known.guest;
  const { body, isOwn } = unseal(instance, text);
  const guest = isOwn ? (JSON.parse(body) as GuestRecord) : checkBody(body);
  kept.set(text, { build, guest });
  return guest;
}

function checkBody(body: string): GuestRecord {
  // Loaded on demand: making the schemas of all steps takes a quarter of a small command.
  const { parseRecord }: typeof import("./record/record-schema.ts") = require("./record/record-schema.ts");
  return parseRecord(body);
}

/** Writes the record to disk before it returns. */
export function writeRecord(instance: Instance, value: GuestRecord): void {
  instance.host.makeFolder({ path: recordsFolder(instance.paths), mode: 0o700 });
  instance.host.writeText(guestPaths(instance.paths, value.uuid).record, textOf(instance, value), 0o600);
  removeNote(instance, value.uuid);
}

/**
 * Writes the record of an ending guest, without a need for disk space. If the record cannot be written, the
 * reason is noted in /run. If /run has no room either, the note is lost. If svirt is then killed before the
 * guest is cleaned up, the next call has only QEMU's exit status.
 */
export function writeEnding(instance: Instance, value: GuestRecord): void {
  if (isWritten(() => writeRecord(instance, value))) return;
  const { intent, reason, startedMs, uuid } = value;
  // A guest without a record was never started.
  if (instance.host.readText(guestPaths(instance.paths, uuid).record) === undefined) return;
  isWritten(() => {
    instance.host.makeFolder({ path: endNotesFolder(instance), mode: 0o700 });
    instance.host.writeVolatile(
      noteFile(instance, uuid),
      `${JSON.stringify({ startedMs, intent, reason })}\n`,
      0o600,
    );
  });
}

/**
 * Returns false if the host refused to write, for example for lack of space. Throws any error but
 * "host-call".
 */
export function isWritten(write: () => void): boolean {
  try {
    write();
    return true;
  } catch (error) {
    if (asSvirtError(error).kind !== "host-call") throw error;
    return false;
  }
}

/** Writes the text of writeRecord() to disk. placeRecord() then only has to rename it. */
export function stageRecord(instance: Instance, value: GuestRecord): void {
  instance.host.stageText(guestPaths(instance.paths, value.uuid).record, textOf(instance, value), 0o600);
}

/**
 * Replaces the guest's record with the staged record. After a power failure it may be the previous record.
 */
export function placeRecord(instance: Instance, uuid: string): void {
  instance.host.placeText(guestPaths(instance.paths, uuid).record);
}

function textOf(instance: Instance, value: GuestRecord): string {
  return `${seal(instance, JSON.stringify(value))}\n`;
}

/** Fields of a record with the identity of its guest's processes. */
export type IdentifiedGuest = Pick<GuestRecord, "uuid" | "uid" | "label">;

/** Returns the identity of the guest's processes. */
export function identityOf({ label: { label: context }, uid, uuid }: IdentifiedGuest): GuestIdentity {
  return { uuid, uid, ...(context === undefined ? {} : { context }) };
}

/** Removes the record of a guest that is off, with nothing of it left. */
export function removeRecord(instance: Instance, uuid: string): void {
  instance.host.removeFile(guestPaths(instance.paths, uuid).record);
  removeNote(instance, uuid);
}

function removeNote(instance: Instance, uuid: string): void {
  const path = noteFile(instance, uuid);
  if (instance.host.readText(path) !== undefined) instance.host.removeFile(path);
}

/** Returns the folder of the notes of writeEnding(). */
export function endNotesFolder({ paths }: Instance): string {
  return `${paths.run}/ending`;
}

function noteFile(instance: Instance, uuid: string): string {
  return `${endNotesFolder(instance)}/${uuid}`;
}

/**
 * Returns whether the recorded guest is running: the process that was started, identified by PID and start
 * time, in this boot.
 */
export function isRunning(
  { host }: Instance,
  { bootId, process, state }: Pick<GuestRecord, "state" | "process" | "bootId">,
): boolean {
  return (
    state === "running" && process !== undefined && bootId === host.getBootId() && host.hasProcess(process)
  );
}
