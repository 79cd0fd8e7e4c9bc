import * as v from "valibot";
import { shapeSchema } from "../../network/traffic-shape.ts";
import { describeGroup, describeLimits, describeThreadSettings } from "../facts/describe-limits.ts";
import {
  describeFloor,
  describeRules,
  describeSetup,
  describeShape,
  describeTap,
} from "../facts/describe-tap.ts";
import { display } from "../facts/display.ts";
import { bracketed } from "../facts/display-address.ts";
import { changedLimit, guestGroup, threadSettings } from "../facts/limits.ts";
import { aNumber, aString } from "../facts/plain-schemas.ts";
import { floorTarget, macvtap, ownPort, passedTap, tapRules, tapSetup } from "../facts/tap.ts";
import { type Kinds, noInverse } from "./kind.ts";

/** Passes the queues of a tap to a running QEMU, under the names that its netdev will use. */
const passTap = v.strictObject({ do: v.literal("pass-tap"), monitor: aString, tap: passedTap });

/** Closes QEMU's descriptors of a tap without a netdev. */
const closeTap = v.strictObject({
  do: v.literal("close-tap"),
  monitor: aString,
  descriptors: v.array(aString),
});

/** Passes a running QEMU the socket of its screen. */
const passDisplay = v.strictObject({ do: v.literal("pass-display"), monitor: aString, display });

const setUpTap = v.strictObject({ do: v.literal("set-up-tap"), setup: tapSetup });

/**
 * Removes a tap made persistent by its guest. Any other tap ends with its last descriptor. Removes its port
 * of Open vSwitch, which outlives it.
 */
const removeTap = v.strictObject({
  do: v.literal("remove-tap"),
  name: aString,
  mac: aString,
  port: v.exactOptional(ownPort),
});

const makeMacvtap = v.strictObject({ do: v.literal("make-macvtap"), link: macvtap });

/** Removes a macvtap. A macvtap with another link group is not the guest's and stays. */
const removeMacvtap = v.strictObject({
  do: v.literal("remove-macvtap"),
  name: aString,
  group: aNumber,
});

const makeGroup = v.strictObject({ do: v.literal("make-group"), group: guestGroup });
const removeGroup = v.strictObject({ do: v.literal("remove-group"), path: aString });

/** Sets CPUs, scheduler and group of QEMU's threads; `before` has the former values of a running guest. */
const tuneThreads = v.strictObject({
  do: v.literal("tune-threads"),
  monitor: aString,
  settings: v.array(threadSettings),
  before: v.exactOptional(v.array(threadSettings)),
});

/** Changes limits of a running guest. Controllers enabled for its parent's children stay enabled. */
const setLimits = v.strictObject({
  do: v.literal("set-limits"),
  group: aString,
  controllers: v.array(aString),
  limits: v.array(changedLimit),
});

/** Filters or limits the frames of a tap. */
const setTapRules = v.strictObject({ do: v.literal("set-tap-rules"), rules: tapRules });

/** Replaces the rules of a running guest's tap. */
const changeTapRules = v.strictObject({
  do: v.literal("change-tap-rules"),
  rules: tapRules,
  before: tapRules,
});

/** Removes rules for the frames of a tap, by their table. */
const removeTapRules = v.strictObject({ do: v.literal("remove-tap-rules"), table: aString });

/** Limits the frames to a guest, or no longer; `before` has the former limit of a running guest's tap. */
const shapeTap = v.strictObject({
  do: v.literal("shape-tap"),
  tap: aString,
  shape: v.exactOptional(shapeSchema),
  before: v.exactOptional(shapeSchema),
});

/**
 * Guarantees a tap's guest a share of its network's bandwidth, or no longer; `before` has the former share of
 * a running guest.
 */
const setFloor = v.strictObject({
  do: v.literal("set-floor"),
  tap: aString,
  to: floorTarget,
  bytesPerSecond: v.exactOptional(aNumber),
  before: v.exactOptional(aNumber),
});

/**
 * Step on resources of the host other than files that guests share: networks, processors, memory and disks.
 */
export type ShareStep = v.InferOutput<
  | typeof passTap
  | typeof closeTap
  | typeof passDisplay
  | typeof setUpTap
  | typeof removeTap
  | typeof makeMacvtap
  | typeof removeMacvtap
  | typeof setTapRules
  | typeof changeTapRules
  | typeof removeTapRules
  | typeof shapeTap
  | typeof setFloor
  | typeof makeGroup
  | typeof removeGroup
  | typeof tuneThreads
  | typeof setLimits
>;

/** Definition of each kind of step in this file. */
export const shareSteps: Kinds<ShareStep> = {
  "pass-tap": {
    schema: passTap,
    inverse: ({ monitor, tap }) => ({
      do: "close-tap",
      monitor,
      descriptors: [...tap.queues, ...tap.vhosts],
    }),
    describe: ({ tap }) => `pass ${describeTap(tap)} to QEMU`,
    where: "qemu",
    record: "kept",
    releases: "nothing",
  },
  "close-tap": {
    schema: closeTap,
    inverse: noInverse,
    describe: ({ descriptors }) => `close ${descriptors.join(", ")} in QEMU if no netdev uses them`,
    where: "qemu",
    record: "kept",
    releases: "nothing",
  },
  "pass-display": {
    schema: passDisplay,
    inverse: noInverse,
    describe: ({ display: { address, port } }) =>
      `pass QEMU a socket for its display, on ${bracketed(address)}:${port}`,
    where: "qemu",
    record: "kept",
    releases: "nothing",
  },
  "set-up-tap": {
    schema: setUpTap,
    inverse: ({ setup: { mac, name, port } }) => ({
      do: "remove-tap",
      name,
      mac,
      ...(port === undefined ? {} : { port: { guestUuid: port.guestUuid, interfaceId: port.interfaceId } }),
    }),
    describe: ({ setup }) => describeSetup(setup),
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "remove-tap": {
    schema: removeTap,
    inverse: noInverse,
    describe: ({ name, port }) =>
      `remove ${port === undefined ? "" : "the Open vSwitch port and the "}tap ${name} if it still exists (the kernel removes it with QEMU's last descriptor)`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "make-macvtap": {
    schema: makeMacvtap,
    inverse: ({ link }) => ({ do: "remove-macvtap", name: link.name, group: link.group }),
    describe: ({ link: { lower, mac, mode, name } }) =>
      `create macvtap ${name} on ${lower}: ${mode}, MAC ${mac}, up`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "remove-macvtap": {
    schema: removeMacvtap,
    inverse: noInverse,
    describe: ({ name }) => `remove macvtap ${name}`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "set-tap-rules": {
    schema: setTapRules,
    inverse: ({ rules }) => ({ do: "remove-tap-rules", table: rules.table }),
    describe: ({ rules }) => describeRules(rules),
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "change-tap-rules": {
    schema: changeTapRules,
    inverse: ({ before, rules }) => ({ do: "change-tap-rules", rules: before, before: rules }),
    describe: ({ rules }) => describeRules(rules),
    // The tap has ended with QEMU, or the step that set the first rules removes the table.
    where: "qemu",
    record: "kept",
    releases: "nothing",
  },
  "remove-tap-rules": {
    schema: removeTapRules,
    inverse: noInverse,
    describe: ({ table }) => `remove the packet rules ${table}`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "shape-tap": {
    schema: shapeTap,
    inverse: ({ before, shape, tap }) => ({
      do: "shape-tap",
      tap,
      ...(before === undefined ? {} : { shape: before }),
      ...(shape === undefined ? {} : { before: shape }),
    }),
    describe: ({ shape, tap }) => describeShape(tap, shape),
    // The limit ends with the tap.
    where: "qemu",
    record: "kept",
    releases: "nothing",
  },
  "set-floor": {
    schema: setFloor,
    inverse: ({ before, bytesPerSecond, tap, to }) => ({
      do: "set-floor",
      tap,
      to,
      ...(before === undefined ? {} : { bytesPerSecond: before }),
      ...(bytesPerSecond === undefined ? {} : { before: bytesPerSecond }),
    }),
    describe: ({ bytesPerSecond, to }) => describeFloor(to, bytesPerSecond),
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "make-group": {
    schema: makeGroup,
    inverse: ({ group }) => ({ do: "remove-group", path: group.path }),
    describe: ({ group }) => describeGroup(group),
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "remove-group": {
    schema: removeGroup,
    inverse: noInverse,
    describe: ({ path }) => `remove control group ${path}`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "tune-threads": {
    schema: tuneThreads,
    inverse: inverseTuning,
    describe: ({ settings }) => `run ${settings.map(describeThreadSettings).join(", ")}`,
    where: "qemu",
    record: "kept",
    releases: "nothing",
  },
  "set-limits": {
    schema: setLimits,
    inverse: (done) => ({
      ...done,
      limits: done.limits.map((limit) => ({ ...limit, value: limit.before, before: limit.value })),
    }),
    describe: (step) => `set ${describeLimits(step)}`,
    // The limits end with the group; it has no process after QEMU.
    where: "qemu",
    record: "kept",
    releases: "nothing",
  },
};

function inverseTuning(done: v.InferOutput<typeof tuneThreads>): ShareStep | undefined {
  const { before, settings } = done;
  if (before === undefined || before.length === 0) return undefined;
  return { ...done, settings: before, before: settings };
}
