import * as v from "valibot";
import { bracketed, display } from "./display.ts";
import {
  changedLimit,
  describeGroup,
  describeLimits,
  describeWish,
  guestGroup,
  threadWish,
} from "./limits.ts";
import { aNumber, aString } from "./plain-schemas.ts";
import { describeSetup, describeTap, handedTap, macvtap, tapSetup } from "./tap.ts";

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

const NAMES: ReadonlySet<string> = new Set(shareStep.options.map(({ entries }) => entries.do.literal));

/** Whether a step is one of these. */
export function isShareStep(step: { readonly do: string }): step is ShareStep {
  return NAMES.has(step.do);
}

/** The step that takes such a step back; undefined where there is nothing to take back. */
export function inverseShare(done: ShareStep): ShareStep | undefined {
  switch (done.do) {
    case "hand-tap": {
      const { monitor, tap } = done;
      return { do: "take-tap", monitor, descriptors: [...tap.queues, ...tap.vhosts] };
    }
    case "set-up-tap":
      return { do: "remove-tap", name: done.setup.name, mac: done.setup.mac };
    case "make-macvtap":
      return { do: "remove-macvtap", name: done.link.name, group: done.link.group };
    case "make-group":
      return { do: "remove-group", path: done.group.path };
    case "tune-threads": {
      const { before, wishes } = done;
      if (before === undefined || before.length === 0) return undefined;
      return { ...done, wishes: before, before: wishes };
    }
    case "set-limits":
      return {
        ...done,
        limits: done.limits.map((limit) => ({ ...limit, value: limit.before, before: limit.value })),
      };
    case "hand-display":
    case "take-tap":
    case "remove-tap":
    case "remove-macvtap":
    case "remove-group":
      return undefined;
  }
}

/** One line for a person. */
export function describeShare(step: ShareStep): string {
  switch (step.do) {
    case "hand-tap":
      return `hand QEMU ${describeTap(step.tap)}`;
    case "take-tap":
      return `take back ${step.descriptors.join(", ")}, if no netdev has them`;
    case "hand-display":
      return `hand QEMU a socket for its screen, on ${bracketed(step.display.address)}:${step.display.port}`;
    case "set-up-tap":
      return describeSetup(step.setup);
    case "remove-tap":
      return `remove tap ${step.name} if it is still there (it goes with QEMU's last descriptor of it)`;
    case "make-macvtap": {
      const { lower, mac, mode, name } = step.link;
      return `make macvtap ${name} on ${lower}: ${mode}, MAC ${mac}, up`;
    }
    case "remove-macvtap":
      return `remove macvtap ${step.name}`;
    case "make-group":
      return describeGroup(step.group);
    case "remove-group":
      return `remove control group ${step.path}`;
    case "tune-threads":
      return `run ${step.wishes.map(describeWish).join(", ")}`;
    case "set-limits":
      return `set ${describeLimits(step)}`;
  }
}
