import { asSvirtError, SvirtError } from "../errors.ts";
import { guestPaths, recordsFolder } from "../plan/paths.ts";
import type { GuestIdentity } from "../run/process/kill-guest.ts";
import type { Node } from "./instance.ts";
import type { GuestRecord } from "./record-schema.ts";

export type { GuestChange, GuestRecord } from "./record-schema.ts";

/** The record of a guest; undefined when it is off. Throws "failed" for one that is damaged. */
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
 * Every guest's record, in the order of their ids. One that is damaged stops nobody else's affairs: its error is handed
 * over, to be told.
 */
export function readRecords(
  node: Node,
  onDamaged: (error: SvirtError, uuid: string) => void = () => undefined,
): GuestRecord[] {
  const guests: GuestRecord[] = [];
  for (const name of node.host.listFolder(recordsFolder(node.paths))) {
    if (!name.endsWith(SUFFIX)) continue;
    const uuid = name.slice(0, -SUFFIX.length);
    try {
      const guest = readRecord(node, uuid);
      if (guest !== undefined) guests.push(guest);
    } catch (error) {
      onDamaged(asSvirtError(error), uuid);
    }
  }
  return guests.sort((a, b) => a.id - b.id);
}

const SUFFIX = ".json";

// Not by import: a start where no guest runs reads no record, and making the schemas of all steps takes a twentieth of it.
function parse(text: string, note: string | undefined): GuestRecord {
  const { parseRecord, withEndNote }: typeof import("./record-schema.ts") = require("./record-schema.ts");
  const guest = parseRecord(text);
  return note === undefined ? guest : withEndNote(guest, note);
}

/** On disk before it returns. */
export function writeRecord(node: Node, value: GuestRecord): void {
  node.host.makeFolder({ path: recordsFolder(node.paths), mode: 0o700 });
  node.host.writeText(guestPaths(node.paths, value.uuid).record, textOf(value), 0o600);
  removeNote(node, value.uuid);
}

/**
 * The same for a guest that ends, which must not need room on a disk: where the record cannot be written, why the guest ends
 * is noted in /run. Where that has no room either the note is lost: then, if svirt is killed before the guest is cleared away,
 * the next call goes by QEMU's exit status alone.
 */
export function writeEnding(node: Node, value: GuestRecord): void {
  if (isWritten(() => writeRecord(node, value))) return;
  const { intent, reason, startedMs, uuid } = value;
  // What has no record was never begun.
  if (node.host.readText(guestPaths(node.paths, uuid).record) === undefined) return;
  isWritten(() => {
    node.host.makeFolder({ path: noteFolder(node), mode: 0o700 });
    node.host.writeVolatile(
      noteFile(node, uuid),
      `${JSON.stringify({ startedMs, intent, reason })}\n`,
      0o600,
    );
  });
}

/** Whether there was room to write. Throws what is no error of the host's. */
export function isWritten(write: () => void): boolean {
  try {
    write();
    return true;
  } catch (error) {
    if (asSvirtError(error).kind !== "host-call") throw error;
    return false;
  }
}

/** What writeRecord() would write, on disk, for placeRecord() to put in its place in an instant. */
export function stageRecord(node: Node, value: GuestRecord): void {
  node.host.stageText(guestPaths(node.paths, value.uuid).record, textOf(value), 0o600);
}

/** The record that was staged is the guest's. After a power failure it may be the one before. */
export function placeRecord(node: Node, uuid: string): void {
  node.host.placeText(guestPaths(node.paths, uuid).record);
}

function textOf(value: GuestRecord): string {
  return `${JSON.stringify(value)}\n`;
}

/** What of a record tells its guest's processes. */
export type IdentifiedGuest = Pick<GuestRecord, "uuid" | "uid" | "label">;

/** By what its processes are known. */
export function identityOf({ label: { label: context }, uid, uuid }: IdentifiedGuest): GuestIdentity {
  return { uuid, uid, ...(context === undefined ? {} : { context }) };
}

/** The guest is off now, and nothing of it is left. */
export function removeRecord(node: Node, uuid: string): void {
  node.host.removeFile(guestPaths(node.paths, uuid).record);
  removeNote(node, uuid);
}

function removeNote(node: Node, uuid: string): void {
  const path = noteFile(node, uuid);
  if (node.host.readText(path) !== undefined) node.host.removeFile(path);
}

function noteFolder({ paths }: Node): string {
  return `${paths.run}/ending`;
}

function noteFile(node: Node, uuid: string): string {
  return `${noteFolder(node)}/${uuid}`;
}

/** Whether the guest that the record tells of runs now: the very process that was started, in this boot. */
export function isRunning(node: Node, guest: GuestRecord): boolean {
  if (guest.state !== "running" || guest.process === undefined || guest.bootId !== node.host.getBootId())
    return false;
  return node.host.getProcess(guest.process.pid)?.startTicks === guest.process.startTicks;
}
