import { asSvirtError, SvirtError } from "../errors.ts";
import { guestPaths, recordsFolder } from "../plan/paths.ts";
import type { GuestIdentity } from "../run/process/kill-guest.ts";
import type { Node } from "./instance.ts";
import type { GuestRecord } from "./record-schema.ts";

export type { GuestChange, GuestRecord } from "./record-schema.ts";

/** Returns a guest's record; undefined if the guest is off. Throws "failed" if the record is damaged. */
export function readRecord(node: Node, uuid: string): GuestRecord | undefined {
  const path = guestPaths(node.paths, uuid).record;
  const text = node.host.readText(path);
  if (text === undefined) return undefined;
  const note = node.host.readText(noteFile(node, uuid));
  try {
    return parse(text, note);
  } catch (error) {
    throw new SvirtError(`Cannot read the record ${path}: it is damaged`, {
      kind: "failed",
      remedy: "Compare it with docs/state.md, or move it away, end its QEMU by hand and run: svirt audit",
      cause: error,
    });
  }
}

/**
 * Returns all guests' records, in the order of their ids. A damaged record does not affect other guests: its error goes to
 * `onDamaged`, for a warning.
 */
export function readRecords(
  node: Node,
  onDamaged: (error: SvirtError, uuid: string) => void = () => undefined,
): GuestRecord[] {
  const guests: GuestRecord[] = [];
  for (const name of node.host.listFolder(recordsFolder(node.paths))) {
    if (!name.endsWith(RECORD_SUFFIX)) continue;
    const uuid = name.slice(0, -RECORD_SUFFIX.length);
    try {
      const guest = readRecord(node, uuid);
      if (guest !== undefined) guests.push(guest);
    } catch (error) {
      onDamaged(asSvirtError(error), uuid);
    }
  }
  return guests.sort((a, b) => a.id - b.id);
}

/** Ending of the names of records; a record that is being written has another one. */
export const RECORD_SUFFIX = ".json";

// Not imported: a start on a host without guests reads no record, and making the schemas of all steps takes a twentieth of
// it.
function parse(text: string, note: string | undefined): GuestRecord {
  const { parseRecord, withEndNote }: typeof import("./record-schema.ts") = require("./record-schema.ts");
  const guest = parseRecord(text);
  return note === undefined ? guest : withEndNote(guest, note);
}

/** Writes the record to disk before it returns. */
export function writeRecord(node: Node, value: GuestRecord): void {
  node.host.makeFolder({ path: recordsFolder(node.paths), mode: 0o700 });
  node.host.writeText(guestPaths(node.paths, value.uuid).record, textOf(value), 0o600);
  removeNote(node, value.uuid);
}

/**
 * Writes the record of a guest that ends, which must not need disk space. If the record cannot be written, the reason is
 * noted in /run. If /run has no room either, the note is lost. If svirt is then killed before the guest is cleaned up, the
 * next call uses QEMU's exit status alone.
 */
export function writeEnding(node: Node, value: GuestRecord): void {
  if (isWritten(() => writeRecord(node, value))) return;
  const { intent, reason, startedMs, uuid } = value;
  // A guest without a record was never started.
  if (node.host.readText(guestPaths(node.paths, uuid).record) === undefined) return;
  isWritten(() => {
    node.host.makeFolder({ path: endNotesFolder(node), mode: 0o700 });
    node.host.writeVolatile(
      noteFile(node, uuid),
      `${JSON.stringify({ startedMs, intent, reason })}\n`,
      0o600,
    );
  });
}

/** Returns false if the host refused to write, as without room. Throws any error but "host-call". */
export function isWritten(write: () => void): boolean {
  try {
    write();
    return true;
  } catch (error) {
    if (asSvirtError(error).kind !== "host-call") throw error;
    return false;
  }
}

/** Writes the text of writeRecord() to disk, for placeRecord() to put in place in an instant. */
export function stageRecord(node: Node, value: GuestRecord): void {
  node.host.stageText(guestPaths(node.paths, value.uuid).record, textOf(value), 0o600);
}

/** Replaces the guest's record by the staged one. After a power failure it may be the previous one. */
export function placeRecord(node: Node, uuid: string): void {
  node.host.placeText(guestPaths(node.paths, uuid).record);
}

function textOf(value: GuestRecord): string {
  return `${JSON.stringify(value)}\n`;
}

/** Fields of a record that identify its guest's processes. */
export type IdentifiedGuest = Pick<GuestRecord, "uuid" | "uid" | "label">;

/** Returns the identity by which the guest's processes are recognized. */
export function identityOf({ label: { label: context }, uid, uuid }: IdentifiedGuest): GuestIdentity {
  return { uuid, uid, ...(context === undefined ? {} : { context }) };
}

/** Removes the record of a guest that is off, with nothing of it left. */
export function removeRecord(node: Node, uuid: string): void {
  node.host.removeFile(guestPaths(node.paths, uuid).record);
  removeNote(node, uuid);
}

function removeNote(node: Node, uuid: string): void {
  const path = noteFile(node, uuid);
  if (node.host.readText(path) !== undefined) node.host.removeFile(path);
}

/** Returns the folder of the notes of writeEnding(). */
export function endNotesFolder({ paths }: Node): string {
  return `${paths.run}/ending`;
}

function noteFile(node: Node, uuid: string): string {
  return `${endNotesFolder(node)}/${uuid}`;
}

/** Returns whether the recorded guest runs now: the very process that was started, in this boot. */
export function isRunning(
  { host }: Node,
  { bootId, process, state }: Pick<GuestRecord, "state" | "process" | "bootId">,
): boolean {
  return (
    state === "running" && process !== undefined && bootId === host.getBootId() && host.hasProcess(process)
  );
}
