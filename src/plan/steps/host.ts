import * as v from "valibot";
import { display } from "../facts/display.ts";
import { changedLimit, guestGroup, threadWish } from "../facts/limits.ts";
import { aNumber, aString } from "../facts/plain-schemas.ts";
import { handedTap, macvtap, tapSetup } from "../facts/tap.ts";

/** Passes the queues of a tap to a running QEMU, under the names that its netdev will use. */
const handTapStep = v.strictObject({ do: v.literal("hand-tap"), monitor: aString, tap: handedTap });

/** Closes QEMU's descriptors of a tap that no netdev uses. */
const takeTapStep = v.strictObject({
  do: v.literal("take-tap"),
  monitor: aString,
  descriptors: v.array(aString),
});

/** Passes a running QEMU the socket that serves its screen. */
const handDisplayStep = v.strictObject({ do: v.literal("hand-display"), monitor: aString, display });

/** Removes a tap that its guest has made persistent. Any other tap ends with its last descriptor. */
const removeTapStep = v.strictObject({ do: v.literal("remove-tap"), name: aString, mac: aString });

/** Removes a macvtap. One with another link group is not the guest's and stays. */
const removeMacvtapStep = v.strictObject({
  do: v.literal("remove-macvtap"),
  name: aString,
  group: aNumber,
});

/** Sets CPUs, scheduler and group of QEMU's threads; `before` has the former ones of a running guest. */
const tuneStep = v.strictObject({
  do: v.literal("tune-threads"),
  monitor: aString,
  wishes: v.array(threadWish),
  before: v.exactOptional(v.array(threadWish)),
});

/** Changes limits of a running guest. Controllers enabled for its parent's children stay enabled. */
const limitStep = v.strictObject({
  do: v.literal("set-limits"),
  group: aString,
  controllers: v.array(aString),
  limits: v.array(changedLimit),
});

/** Step on parts of the host that guests share besides files: networks, processors, memory and disks. */
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
