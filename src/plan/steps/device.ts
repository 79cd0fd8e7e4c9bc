import * as v from "valibot";
import { handedFile, memlockKiB, pluggedPeer } from "../facts/guest-order.ts";
import { aNumber, aString, maybeString } from "../facts/plain-schemas.ts";
import { monitorCommand } from "../facts/step-parts.ts";

/** A running QEMU is given files, each as a set of its own with the number that it bears, and then told to use them. */
export const plugStep = v.strictObject({
  do: v.literal("plug"),
  monitor: aString,
  files: v.array(handedFile),
  peers: v.exactOptional(v.array(pluggedPeer)),
  commands: v.array(monitorCommand),
});

/** It lets a device go, if there is one, once the guest has; then what was behind it. What is not there is fine. */
export const unplugStep = v.strictObject({
  do: v.literal("unplug"),
  monitor: aString,
  device: maybeString,
  commands: v.array(monitorCommand),
  sets: v.array(aNumber),
  /** Connections to other programs, by their names or numbers: what has taken them has ended them. */
  peers: v.exactOptional(v.array(aString)),
});

/** What is in a drive changes from one node to another; absent: it is empty. */
export const mediumStep = v.strictObject({
  do: v.literal("set-medium"),
  monitor: aString,
  device: aString,
  from: maybeString,
  to: maybeString,
  /** Also when the guest has locked the tray. */
  force: v.boolean(),
});

/** The cable of a network card is pulled out or put in. */
export const linkStep = v.strictObject({
  do: v.literal("set-link"),
  monitor: aString,
  device: aString,
  up: v.boolean(),
});

/** How much memory a running QEMU may lock changes. */
export const memlockStep = v.strictObject({
  do: v.literal("set-memlock"),
  process: v.strictObject({ pid: aNumber, startTicks: aNumber }),
  from: memlockKiB,
  to: memlockKiB,
});
