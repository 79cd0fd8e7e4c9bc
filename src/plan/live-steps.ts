import * as v from "valibot";
import { deleteCommands } from "../qemu/plug-commands.ts";
import { handedFile, pluggedPeer } from "./guest-order.ts";
import { aNumber, aString, maybeString } from "./plain-schemas.ts";
import { monitorCommand } from "./step-parts.ts";

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

const memlockKiB = v.union([aNumber, v.literal("unlimited")]);
/** How much memory a running QEMU may keep from being swapped out. RLIMIT_MEMLOCK, getrlimit(2) */
export const memlockStep = v.strictObject({
  do: v.literal("set-memlock"),
  process: v.strictObject({ pid: aNumber, startTicks: aNumber }),
  from: memlockKiB,
  to: memlockKiB,
});

type Output<Schema extends v.GenericSchema> = v.InferOutput<Schema>;
type UnplugStep = Output<typeof unplugStep>;
type Turned = Output<typeof mediumStep> | Output<typeof linkStep> | Output<typeof memlockStep>;

/** The step that takes one of these back. */
export function inverseLive(done: Output<typeof plugStep> | Turned): UnplugStep | Turned {
  switch (done.do) {
    case "plug":
      return {
        do: "unplug",
        monitor: done.monitor,
        ...deleteCommands(done.commands),
        sets: done.files.map(({ fd }) => fd),
        ...(done.peers === undefined ? {} : { peers: done.peers.map(({ name }) => name) }),
      };
    case "set-medium": {
      const { device, force, from, monitor, to } = done;
      return { do: "set-medium", monitor, device, ...present({ from: to, to: from }), force };
    }
    case "set-link":
      return { ...done, up: !done.up };
    case "set-memlock":
      return { ...done, from: done.to, to: done.from };
  }
}

function present<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
