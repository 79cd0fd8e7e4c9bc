import * as v from "valibot";
import { aNumber, aString, maybeString } from "./plain-schemas.ts";

/** Value for a file of a control group. The first existing file of `names` is used. cgroups(7) */
const controlValue = v.strictObject({ names: v.array(aString), value: aString });
export type ControlValue = v.InferOutput<typeof controlValue>;

/** Control group of some of a guest's threads, below the guest's group. */
const threadGroup = v.strictObject({ name: aString, values: v.array(controlValue) });

/** Control group of a guest. */
export const guestGroup = v.strictObject({
  path: aString,
  /** Controllers to enable for the children of the parent group: this guest and its neighbours. */
  controllers: v.array(aString),
  values: v.array(controlValue),
  /** Groups of threads, with the controller `cpu`. */
  threads: v.array(threadGroup),
});
export type GuestGroup = v.InferOutput<typeof guestGroup>;

const scheduler = v.strictObject({
  policy: v.picklist(["batch", "idle", "fifo", "rr"]),
  /** Priority of fifo and rr. */
  priority: aNumber,
});
export type Scheduler = v.InferOutput<typeof scheduler>;

/** CPUs, scheduler and group of QEMU's threads. An absent field stays unchanged. */
export const threadSettings = v.strictObject({
  /** A vCPU or an I/O thread has a `number`; the emulator is all other threads. */
  thread: v.picklist(["vcpu", "iothread", "emulator"]),
  number: v.exactOptional(aNumber),
  cpus: v.exactOptional(v.array(aNumber)),
  scheduler: v.exactOptional(scheduler),
  /** Path of the thread's new control group. */
  group: maybeString,
});
export type ThreadSettings = v.InferOutput<typeof threadSettings>;

/** New limit of a running guest, with its former value. */
export const changedLimit = v.strictObject({
  /** Name of the group of threads; absent: the guest's group. */
  threads: maybeString,
  names: v.array(aString),
  value: aString,
  before: aString,
});
export type ChangedLimit = v.InferOutput<typeof changedLimit>;
