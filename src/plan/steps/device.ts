import * as v from "valibot";
import { handedFile, memlockKiB, pluggedPeer } from "../facts/guest-order.ts";
import { aNumber, aString, maybeString } from "../facts/plain-schemas.ts";
import { monitorCommand } from "../facts/step-parts.ts";

/** Passes files to a running QEMU, each in the descriptor set of its number, and then sends the commands that use them. */
export const plugStep = v.strictObject({
  do: v.literal("plug"),
  monitor: aString,
  files: v.array(handedFile),
  peers: v.exactOptional(v.array(pluggedPeer)),
  commands: v.array(monitorCommand),
});

/**
 * Removes a device, if there is one, after the guest has released it, and then its backends. Missing objects are no error.
 */
export const unplugStep = v.strictObject({
  do: v.literal("unplug"),
  monitor: aString,
  device: maybeString,
  commands: v.array(monitorCommand),
  sets: v.array(aNumber),
  /** Connections to other programs, by name or number. They end with the backends that use them. */
  peers: v.exactOptional(v.array(aString)),
});

/** Changes the medium of a drive from one node to another; absent: no medium. */
export const mediumStep = v.strictObject({
  do: v.literal("set-medium"),
  monitor: aString,
  device: aString,
  from: maybeString,
  to: maybeString,
  /** Whether to open a tray that the guest has locked. */
  force: v.boolean(),
});

/** Sets the link of a network card up or down. */
export const linkStep = v.strictObject({
  do: v.literal("set-link"),
  monitor: aString,
  device: aString,
  up: v.boolean(),
});

/** Changes how much memory a running QEMU may lock. */
export const memlockStep = v.strictObject({
  do: v.literal("set-memlock"),
  process: v.strictObject({ pid: aNumber, startTicks: aNumber }),
  from: memlockKiB,
  to: memlockKiB,
});
