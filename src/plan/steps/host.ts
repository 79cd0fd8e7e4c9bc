import * as v from "valibot";
import { display } from "../facts/display.ts";
import { changedLimit, guestGroup, threadWish } from "../facts/limits.ts";
import { aNumber, aString } from "../facts/plain-schemas.ts";
import { handedTap, macvtap, tapSetup } from "../facts/tap.ts";

/** A running QEMU is given the queues of a tap, by the names that its netdev will be told. */
const handTapStep = v.strictObject({ do: v.literal("hand-tap"), monitor: aString, tap: handedTap });

/** It lets go of descriptors that no netdev has taken. */
const takeTapStep = v.strictObject({
  do: v.literal("take-tap"),
  monitor: aString,
  descriptors: v.array(aString),
});

/** A running QEMU is given the socket on which its screen is to be had. */
const handDisplayStep = v.strictObject({ do: v.literal("hand-display"), monitor: aString, display });

/** A tap is gone with its last descriptor: only one that its guest has made to stay is still there to be removed. */
const removeTapStep = v.strictObject({ do: v.literal("remove-tap"), name: aString, mac: aString });

/** A macvtap stays until somebody removes it: one that is of another group is somebody else's, and is left alone. */
const removeMacvtapStep = v.strictObject({
  do: v.literal("remove-macvtap"),
  name: aString,
  group: aNumber,
});

/** QEMU's threads are put where they are to run; `before` is where they were, of a guest that runs. */
const tuneStep = v.strictObject({
  do: v.literal("tune-threads"),
  monitor: aString,
  wishes: v.array(threadWish),
  before: v.exactOptional(v.array(threadWish)),
});

/** Limits of a running guest. Their controllers, which its parent may not have given on yet, stay given. */
const limitStep = v.strictObject({
  do: v.literal("set-limits"),
  group: aString,
  controllers: v.array(aString),
  limits: v.array(changedLimit),
});

/** An act about what of the host guests share besides files: its networks, processors, memory and disks. */
export const shareStep = v.variant("do", [
  handTapStep,
  takeTapStep,
  handDisplayStep,
  v.strictObject({ do: v.literal("set-up-tap"), setup: tapSetup }),
  removeTapStep,
  v.strictObject({ do: v.literal("make-macvtap"), link: macvtap }),
  removeMacvtapStep,
  v.strictObject({ do: v.literal("make-group"), group: guestGroup }),
  v.strictObject({ do: v.literal("remove-group"), path: aString }),
  tuneStep,
  limitStep,
]);
export type ShareStep = v.InferOutput<typeof shareStep>;
