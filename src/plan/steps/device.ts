import * as v from "valibot";
import { deleteCommands, nameOf } from "../../qemu/monitor/plug-commands.ts";
import { describePeer, listFiles } from "../facts/describe-passed.ts";
import { memlockKiB, passedFile, pluggedPeer } from "../facts/launch-spec.ts";
import { aNumber, aString, maybeString } from "../facts/plain-schemas.ts";
import { type MonitorCommand, monitorCommand } from "../facts/step-parts.ts";
import { type Kinds, noInverse } from "./kind.ts";

/**
 * Passes files to a running QEMU, each in the descriptor set of its number, and then sends the commands that
 * use them.
 */
const plug = v.strictObject({
  do: v.literal("plug"),
  monitor: aString,
  files: v.array(passedFile),
  peers: v.exactOptional(v.array(pluggedPeer)),
  commands: v.array(monitorCommand),
});
type Plug = v.InferOutput<typeof plug>;

/**
 * Removes a device, if there is any, after the guest has released it, and then its backends. Missing objects
 * are not an error.
 */
const unplug = v.strictObject({
  do: v.literal("unplug"),
  monitor: aString,
  device: maybeString,
  commands: v.array(monitorCommand),
  sets: v.array(aNumber),
  /** Connections to other programs, by name or number. They end with the backends that use them. */
  peers: v.exactOptional(v.array(aString)),
});
type Unplug = v.InferOutput<typeof unplug>;

/** Changes the medium of a drive from a node to another; absent: no medium. */
const setMedium = v.strictObject({
  do: v.literal("set-medium"),
  monitor: aString,
  device: aString,
  from: maybeString,
  to: maybeString,
  /** Whether to open a tray locked by the guest. */
  force: v.boolean(),
});
type SetMedium = v.InferOutput<typeof setMedium>;

/** Sets the link of a network card up or down. */
const setLink = v.strictObject({
  do: v.literal("set-link"),
  monitor: aString,
  device: aString,
  up: v.boolean(),
});

/** Changes how much memory a running QEMU may lock. */
const setMemlock = v.strictObject({
  do: v.literal("set-memlock"),
  process: v.strictObject({ pid: aNumber, startTicks: aNumber }),
  from: memlockKiB,
  to: memlockKiB,
});

/** Changes a setting of a running QEMU by a command; `before` sets the former values. */
const changeSetting = v.strictObject({
  do: v.literal("change-setting"),
  monitor: aString,
  command: monitorCommand,
  before: monitorCommand,
});

/** Step on a device, medium, link, setting or memory limit of a running guest. */
export type DeviceStep =
  | Plug
  | Unplug
  | SetMedium
  | v.InferOutput<typeof setLink>
  | v.InferOutput<typeof changeSetting>
  | v.InferOutput<typeof setMemlock>;

/** Definition of each kind of step in this file. */
export const deviceSteps: Kinds<DeviceStep> = {
  plug: {
    schema: plug,
    inverse: (done) => ({
      do: "unplug",
      monitor: done.monitor,
      ...deleteCommands(done.commands),
      sets: done.files.map(({ fd }) => fd),
      ...(done.peers === undefined ? {} : { peers: done.peers.map(({ name }) => name) }),
    }),
    describe: describePlug,
    where: "qemu",
    record: "kept",
    releases: "nothing",
  },
  unplug: {
    schema: unplug,
    inverse: noInverse,
    describe: describeUnplug,
    where: "qemu",
    record: "kept",
    releases: "nothing",
  },
  "set-medium": {
    schema: setMedium,
    inverse: ({ device, force, from, monitor, to }) => ({
      do: "set-medium",
      monitor,
      device,
      ...(to === undefined ? {} : { from: to }),
      ...(from === undefined ? {} : { to: from }),
      force,
    }),
    describe: describeMedium,
    where: "qemu",
    record: "kept",
    releases: "nothing",
  },
  "set-link": {
    schema: setLink,
    inverse: (done) => ({ ...done, up: !done.up }),
    describe: ({ device, up }) => `set the link of ${device} ${up ? "up" : "down"}`,
    where: "qemu",
    record: "kept",
    releases: "nothing",
  },
  "change-setting": {
    schema: changeSetting,
    inverse: (done) => ({ ...done, command: done.before, before: done.command }),
    describe: ({ command }) => `send QEMU ${describeSetting(command)}`,
    where: "qemu",
    // The guest's XML has the values.
    record: "dropped",
    releases: "nothing",
  },
  "set-memlock": {
    schema: setMemlock,
    inverse: (done) => ({ ...done, from: done.to, to: done.from }),
    describe: ({ from, to }) => `let QEMU lock memory: ${describeMemlock(from)} -> ${describeMemlock(to)}`,
    where: "qemu",
    record: "kept",
    releases: "nothing",
  },
};

function describePlug({ commands, files, peers = [] }: Plug): string {
  const passed = [...files.map(({ file }) => file.path), ...peers.map(describePeer)];
  return `pass ${listFiles(passed)} to QEMU, then ${commands.map(describeCommand).join(", ")}`;
}

function describeUnplug({ commands, device, sets }: Unplug): string {
  const asked = device === undefined ? [] : [`device_del ${device} (wait until the guest releases it)`];
  const told = [...asked, ...commands.map(describeCommand)].join(", ");
  return `send QEMU ${told}, and close ${listFiles(sets.map((set) => `set ${set}`))}`;
}

function describeMedium({ device, force, from, to }: SetMedium): string {
  return `change the medium of ${device}: ${from ?? "empty"} -> ${to ?? "empty"}${force ? " (by force)" : ""}`;
}

function describeMemlock(limit: v.InferOutput<typeof memlockKiB>): string {
  return limit === "unlimited" ? limit : `${limit} KiB`;
}

function describeSetting(command: MonitorCommand): string {
  const { path, property, value } = command.arguments ?? {};
  return command.execute === "qom-set" ? `qom-set ${path} ${property}=${value}` : describeCommand(command);
}

function describeCommand(command: MonitorCommand): string {
  return `${command.execute} ${nameOf(command) ?? ""}`.trimEnd();
}
