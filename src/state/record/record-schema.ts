import * as v from "valibot";
import { LABEL_MODELS, type LabelModelName } from "../../domain/forms/label-model.ts";
import { none } from "../../label/none-model.ts";
import { selinux } from "../../label/selinux-model.ts";
import { blockJob } from "../../plan/facts/block-job.ts";
import { aNumber, aString, maybeString } from "../../plan/facts/plain-schemas.ts";
import { step } from "../../plan/steps/kinds.ts";

/**
 * A guest's security label, as decided at its start. A record without a model is of an older svirt, which had
 * only SELinux: a guest without a label then has the model `none`.
 */
const recordedLabel = v.pipe(
  v.strictObject({
    model: v.exactOptional(v.picklist(LABEL_MODELS)),
    type: v.picklist(["dynamic", "static", "none"]),
    relabel: v.boolean(),
    label: maybeString,
    imageLabel: maybeString,
    baseLabel: maybeString,
  }),
  v.transform((recorded) => {
    const model: LabelModelName = recorded.label === undefined ? none.name : selinux.name;
    return { model, ...recorded };
  }),
);

/** Actions when QEMU ends by itself. */
const endActions = {
  onPoweroff: v.picklist(["destroy", "restart"]),
  onCrash: v.picklist(["destroy", "restart"]),
};

/** Outcome of a change: the steps that follow its own, and the guest's XML after them. */
const outcome = {
  after: v.array(step),
  xml: aString,
  /** The definition's disks also get the images of this XML. */
  isForDefinition: v.exactOptional(v.literal(true)),
};

/**
 * A change of a running guest: written before its first step, removed after the last. In stage "doing" its
 * steps must be undone. In stage "finishing" the steps in `after` must run, and `xml` is the guest's new
 * definition.
 */
const change = v.strictObject({
  /** Description for the operator, such as `attach vdb`. */
  what: aString,
  stage: v.picklist(["doing", "finishing"]),
  /**
   * The guest was asked to release a device and exceeded the time limit. An older svirt wrote this, and not
   * `asked`.
   */
  isAsked: v.exactOptional(v.literal(true)),
  /**
   * QEMU has carried out all its commands, but a process of the guest still held a resource to be released.
   */
  isTold: v.exactOptional(v.literal(true)),
  steps: v.array(step),
  ...outcome,
  /** QEMU's jobs for the guest after the change; absent: unchanged. */
  jobs: v.exactOptional(v.array(blockJob)),
  /** Outcome if QEMU ends the job in a way other than expected. */
  otherwise: v.exactOptional(v.strictObject(outcome)),
  /**
   * Controllers kept by the guest if the change is undone: QEMU's name, and the guest's XML with it and the
   * controllers before.
   */
  behind: v.exactOptional(v.array(v.strictObject({ device: aString, xml: aString }))),
  /** Actions when QEMU ends by itself, after the change; absent: unchanged. */
  actions: v.exactOptional(v.strictObject(endActions)),
  /** The change ends the guest, for this reason. */
  ends: v.exactOptional(v.picklist(["saved", "crashed"])),
});
export type GuestChange = v.InferOutput<typeof change>;

/**
 * Record of a guest starting, running or being cleaned up, in `/var/lib/svirt/records/UUID.json`. It is
 * written before the first step of a start and removed after the last step is undone. `state` says how far
 * the start came; the kernel says whether the guest runs now.
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
  /** The definition that was started, in its stored form, with the devices attached since. */
  xml: aString,
  label: recordedLabel,
  enforcing: v.boolean(),
  /** All steps of the start and of the changes since. */
  steps: v.array(step),
  change: v.exactOptional(change),
  /** QEMU's names of devices that the guest was asked to release, and has not released in time. */
  asked: v.exactOptional(v.array(aString)),
  /** Jobs that QEMU runs on the images of the guest's disks in the background. */
  jobs: v.exactOptional(v.array(blockJob)),
  /** Terminals that QEMU got at its start, keyed by the device's name in QEMU. */
  terminals: v.exactOptional(v.record(aString, aString)),
  /** QEMU's process, once it runs. */
  process: v.exactOptional(v.strictObject({ pid: aNumber, startTicks: aNumber })),
  ...endActions,
  /** Why the guest ended, once determined: the evidence is removed before the record is. */
  reason: v.exactOptional(v.picklist(["shutdown", "destroyed", "crashed", "saved", "failed", "unknown"])),
  /** The guest began with a saved state. */
  restored: v.exactOptional(v.literal(true)),
  /** A caller resumed the guest after a pause: QEMU reports only that it runs. */
  unpaused: v.exactOptional(v.literal(true)),
  /**
   * How often svirt has paused or resumed the guest, and what it did last: clients that watch the record
   * report it.
   */
  told: v.exactOptional(v.strictObject({ times: aNumber, to: v.picklist(["pause", "run"]) })),
  /** A snapshot has its agent freeze the guest's file systems, until they are thawed. */
  frozen: v.exactOptional(v.literal(true)),
  /**
   * How many seconds calls wait for an answer of the guest's agent, or -2: without limit; absent: the
   * default.
   */
  agentTimeout: v.exactOptional(aNumber),
  /** Request made to the guest. Only its end shows the success. */
  intent: v.exactOptional(v.picklist(["shutdown", "reboot", "destroy"])),
});
export type GuestRecord = v.InferOutput<typeof record>;

/**
 * Fields of a record that are noted in `/run/svirt/ending/UUID` if the disk has no room for the whole record.
 */
const endNote = v.pick(record, ["startedMs", "intent", "reason"]);

/** Returns the record with the note of its end. A note of an earlier start is ignored. */
export function addEndNote(guest: GuestRecord, text: string): GuestRecord {
  const { intent, reason, startedMs } = v.parse(endNote, JSON.parse(text));
  if (startedMs !== guest.startedMs) return guest;
  return {
    ...guest,
    ...(intent === undefined ? {} : { intent }),
    ...(reason === undefined ? {} : { reason, state: "stopping" }),
  };
}

/** Returns a record as it was written. Throws the errors of valibot and JSON.parse() for any other text. */
export function parseRecord(text: string): GuestRecord {
  return v.parse(record, JSON.parse(text));
}
