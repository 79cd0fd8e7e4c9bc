import * as v from "valibot";
import { blockJob } from "../plan/facts/block-job.ts";
import { aNumber, aString, maybeString } from "../plan/facts/plain-schemas.ts";
import { namedStep } from "../plan/steps/step.ts";

/** What a guest's security label is, as decided at its start. */
const recordedLabel = v.strictObject({
  type: v.picklist(["dynamic", "static", "none"]),
  relabel: v.boolean(),
  label: maybeString,
  imageLabel: maybeString,
  baseLabel: maybeString,
});

/** What a change comes to: what is to be done after its steps, and what the guest has become then. */
const outcome = {
  after: v.array(namedStep),
  xml: aString,
  /** The definition's disks become what the guest's have. */
  isForDefinition: v.exactOptional(v.literal(true)),
};

/**
 * A change of a running guest: written before its first step, gone after the last. While it is "doing", its steps are to
 * be taken back; once it is "finishing", the steps after are to be done, and `xml` is what the guest has become.
 */
const change = v.strictObject({
  /** What it does, for a person: `attach vdb`. */
  what: aString,
  stage: v.picklist(["doing", "finishing"]),
  /** The guest was asked to let go of a device, and has taken longer than anybody waits for. */
  isAsked: v.exactOptional(v.literal(true)),
  /** QEMU has done all that it was told, and a process of the guest still held what is to be given up. */
  isTold: v.exactOptional(v.literal(true)),
  steps: v.array(namedStep),
  ...outcome,
  /** The jobs that QEMU has for the guest once it is done; absent: as before. */
  jobs: v.exactOptional(v.array(blockJob)),
  /** What it comes to where QEMU ends the job in another way than it was expected to. */
  otherwise: v.exactOptional(v.strictObject(outcome)),
  /** The guest ends with it, for that reason. */
  ends: v.exactOptional(v.picklist(["saved", "crashed"])),
});
export type GuestChange = v.InferOutput<typeof change>;

/**
 * All that is known of a guest that is starting, running or being cleared away, in
 * `/var/lib/svirt/records/UUID.json`. It is written before the first step of a start is carried out and removed after
 * the last one is undone. `state` says how far the start came; whether the guest runs now the kernel says.
 */
export const record = v.strictObject({
  format: v.literal(1),
  uuid: aString,
  name: aString,
  id: aNumber,
  uid: aNumber,
  bootId: aString,
  state: v.picklist(["starting", "running", "stopping"]),
  startedMs: aNumber,
  /** The definition that was started, in the form in which it would be stored, with what was attached since. */
  xml: aString,
  label: recordedLabel,
  enforcing: v.boolean(),
  /** Every step of the start, and of the changes since. */
  steps: v.array(namedStep),
  change: v.exactOptional(change),
  /** What QEMU does to the images of its disks, in its own time. */
  jobs: v.exactOptional(v.array(blockJob)),
  /** The terminals that its QEMU got at its start, each by the device's name in QEMU. */
  terminals: v.exactOptional(v.record(aString, aString)),
  /** QEMU, once it runs. */
  process: v.exactOptional(v.strictObject({ pid: aNumber, startTicks: aNumber })),
  /** What to do when QEMU ends by itself. */
  onPoweroff: v.picklist(["destroy", "restart"]),
  onCrash: v.picklist(["destroy", "restart"]),
  /** Why it ended, once that was found out: what told it is cleared away before the record is. */
  reason: v.exactOptional(v.picklist(["shutdown", "destroyed", "crashed", "saved", "failed", "unknown"])),
  /** It began with a state that was saved. */
  restored: v.exactOptional(v.literal(true)),
  /** Somebody has let it go on after a pause: QEMU says only that it runs. */
  unpaused: v.exactOptional(v.literal(true)),
  /** What somebody asked of the guest, which only its end will tell. */
  intent: v.exactOptional(v.picklist(["shutdown", "reboot", "destroy"])),
});
export type GuestRecord = v.InferOutput<typeof record>;

/** What of a record is noted in `/run/svirt/ending/UUID` where the disk has no room for the whole. */
const endNote = v.pick(record, ["startedMs", "intent", "reason"]);

/** The record with what was noted of its end; a note of an earlier start says nothing of this one. */
export function withEndNote(guest: GuestRecord, text: string): GuestRecord {
  const { intent, reason, startedMs } = v.parse(endNote, JSON.parse(text));
  if (startedMs !== guest.startedMs) return guest;
  return {
    ...guest,
    ...(intent === undefined ? {} : { intent }),
    ...(reason === undefined ? {} : { reason, state: "stopping" }),
  };
}

/** A record as it was written. Throws what valibot and JSON.parse() throw for anything else. */
export function parseRecord(text: string): GuestRecord {
  return v.parse(record, JSON.parse(text));
}
