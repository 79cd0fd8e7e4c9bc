import * as v from "valibot";
import { describeGroup, describeLimits, describeThreadSettings } from "../facts/describe-limits.ts";
import { describeFilter, describeSetup, describeTap } from "../facts/describe-tap.ts";
import { display } from "../facts/display.ts";
import { bracketed } from "../facts/display-address.ts";
import { changedLimit, guestGroup, threadSettings } from "../facts/limits.ts";
import { aNumber, aString } from "../facts/plain-schemas.ts";
import { macvtap, passedTap, tapFilter, tapSetup } from "../facts/tap.ts";
import { type Kinds, noInverse } from "./kind.ts";

/** Passes the queues of a tap to a running QEMU, under the names that its netdev will use. */
const passTap = v.strictObject({ do: v.literal("pass-tap"), monitor: aString, tap: passedTap });

/** Closes QEMU's descriptors of a tap that no netdev uses. */
const closeTap = v.strictObject({
  do: v.literal("close-tap"),
  monitor: aString,
  descriptors: v.array(aString),
});

/** Passes a running QEMU the socket that serves its screen. */
const passDisplay = v.strictObject({ do: v.literal("pass-display"), monitor: aString, display });

const setUpTap = v.strictObject({ do: v.literal("set-up-tap"), setup: tapSetup });

/** Removes a tap that its guest has made persistent. Any other tap ends with its last descriptor. */
const removeTap = v.strictObject({ do: v.literal("remove-tap"), name: aString, mac: aString });

const makeMacvtap = v.strictObject({ do: v.literal("make-macvtap"), link: macvtap });

/** Removes a macvtap. One with another link group is not the guest's and stays. */
const removeMacvtap = v.strictObject({
  do: v.literal("remove-macvtap"),
  name: aString,
  group: aNumber,
});

const makeGroup = v.strictObject({ do: v.literal("make-group"), group: guestGroup });
const removeGroup = v.strictObject({ do: v.literal("remove-group"), path: aString });

/** Sets CPUs, scheduler and group of QEMU's threads; `before` has the former ones of a running guest. */
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

/** Filters the frames of a tap. */
const setTapFilter = v.strictObject({ do: v.literal("set-tap-filter"), filter: tapFilter });

/** Replaces the filter of a running guest's tap. */
const changeTapFilter = v.strictObject({
  do: v.literal("change-tap-filter"),
  filter: tapFilter,
  before: tapFilter,
});

/** Removes the filter of a tap, by its table. */
const removeTapFilter = v.strictObject({ do: v.literal("remove-tap-filter"), table: aString });

/** Step on resources of the host other than files that guests share: networks, processors, memory and disks. */
export type ShareStep = v.InferOutput<
  | typeof passTap
  | typeof closeTap
  | typeof passDisplay
  | typeof setUpTap
  | typeof removeTap
  | typeof makeMacvtap
  | typeof removeMacvtap
  | typeof setTapFilter
  | typeof changeTapFilter
  | typeof removeTapFilter
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
    inverse: ({ setup }) => ({ do: "remove-tap", name: setup.name, mac: setup.mac }),
    describe: ({ setup }) => describeSetup(setup),
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "remove-tap": {
    schema: removeTap,
    inverse: noInverse,
    describe: ({ name }) =>
      `remove tap ${name} if it still exists (the kernel removes it with QEMU's last descriptor)`,
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
  "set-tap-filter": {
    schema: setTapFilter,
    inverse: ({ filter }) => ({ do: "remove-tap-filter", table: filter.table }),
    describe: ({ filter }) => describeFilter(filter),
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "change-tap-filter": {
    schema: changeTapFilter,
    inverse: ({ before, filter }) => ({ do: "change-tap-filter", filter: before, before: filter }),
    describe: ({ filter }) => describeFilter(filter),
    // The tap has ended with QEMU, or the step that set the first filter removes the table.
    where: "qemu",
    record: "kept",
    releases: "nothing",
  },
  "remove-tap-filter": {
    schema: removeTapFilter,
    inverse: noInverse,
    describe: ({ table }) => `remove the packet filter ${table}`,
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
    // The limits end with the group, which has no process after QEMU.
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
