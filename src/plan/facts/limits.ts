import * as v from "valibot";
import { aNumber, aString, maybeString } from "./plain-schemas.ts";

/** A value for one of the kernel's files about a control group; of several names, the first that is there. cgroups(7) */
const controlValue = v.strictObject({ names: v.array(aString), value: aString });
export type ControlValue = v.InferOutput<typeof controlValue>;

/** A control group below a guest's own, for some of its threads. */
const threadGroup = v.strictObject({ name: aString, values: v.array(controlValue) });

/** A guest's own control group. */
export const guestGroup = v.strictObject({
  path: aString,
  /** Given to the groups of its parent's: this guest's and its neighbours'. */
  controllers: v.array(aString),
  values: v.array(controlValue),
  /** Those of its threads, with the controller `cpu`. */
  threads: v.array(threadGroup),
});
export type GuestGroup = v.InferOutput<typeof guestGroup>;

const scheduler = v.strictObject({
  policy: v.picklist(["batch", "idle", "fifo", "rr"]),
  /** Of fifo and rr. */
  priority: aNumber,
});
export type Scheduler = v.InferOutput<typeof scheduler>;

/** Where and how one of QEMU's threads runs; what is absent stays as it is. */
export const threadWish = v.strictObject({
  /** A virtual CPU or an I/O thread by its number; the emulator is all other threads. */
  thread: v.picklist(["vcpu", "iothread", "emulator"]),
  number: v.exactOptional(aNumber),
  cpus: v.exactOptional(v.array(aNumber)),
  scheduler: v.exactOptional(scheduler),
  /** The control group that it is put into. */
  group: maybeString,
});
export type ThreadWish = v.InferOutput<typeof threadWish>;

/** A limit that a running guest gets, and the one that it had. */
export const changedLimit = v.strictObject({
  /** The control group of a part of its threads; absent: the guest's own. */
  threads: maybeString,
  names: v.array(aString),
  value: aString,
  before: aString,
});
export type ChangedLimit = v.InferOutput<typeof changedLimit>;
