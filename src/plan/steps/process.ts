import * as v from "valibot";
import { describePeer } from "../facts/describe-passed.ts";
import { describeTap } from "../facts/describe-tap.ts";
import { helperSpec, type LaunchSpec, launchSpec } from "../facts/launch-spec.ts";
import { aNumber, aString } from "../facts/plain-schemas.ts";
import { monitorCommand } from "../facts/step-parts.ts";
import { type Kinds, noInverse } from "./kind.ts";

/** Time between SIGTERM and SIGKILL for a guest's QEMU: libvirt gives it 10 s + 5 s. */
const KILL_GRACE_MS = 10_000;
const NOT_CONFINED = "svirt's own context, not confined";

const spawnHelper = v.strictObject({ do: v.literal("spawn-helper"), order: helperSpec });
const spawn = v.strictObject({ do: v.literal("spawn"), order: launchSpec });
const kill = v.strictObject({ do: v.literal("kill"), graceMs: aNumber });
const checkContext = v.strictObject({ do: v.literal("check-context"), context: aString });

const greet = v.strictObject({
  do: v.literal("greet"),
  monitor: aString,
  timeoutMs: aNumber,
  /** Whether to ask QEMU for the names of its terminals. */
  hasTerminals: v.exactOptional(v.literal(true)),
});

const resume = v.strictObject({
  do: v.literal("resume"),
  monitor: aString,
  commands: v.array(monitorCommand),
});

/** Step on the processes of a guest, until its vCPUs run. */
export type ProcessStep = v.InferOutput<
  typeof spawnHelper | typeof spawn | typeof kill | typeof checkContext | typeof greet | typeof resume
>;

/** Definition of each kind of step in this file. */
export const processSteps: Kinds<ProcessStep> = {
  "spawn-helper": {
    schema: spawnHelper,
    // A helper ends with the guest's other processes.
    inverse: noInverse,
    describe: ({ order: { context, program, uid } }) =>
      `start ${program} as uid ${uid} in ${context ?? NOT_CONFINED}`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  spawn: {
    schema: spawn,
    inverse: () => ({ do: "kill", graceMs: KILL_GRACE_MS }),
    describe: ({ order }) => describeSpawn(order),
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  kill: {
    schema: kill,
    inverse: noInverse,
    describe: ({ graceMs }) => `end the guest's process (SIGTERM, after ${graceMs / 1000} s SIGKILL)`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "check-context": {
    schema: checkContext,
    inverse: noInverse,
    describe: ({ context }) => `check that the guest's process runs in ${context}`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  greet: {
    schema: greet,
    inverse: noInverse,
    describe: ({ monitor }) => `wait for the monitor ${monitor}`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  resume: {
    schema: resume,
    inverse: noInverse,
    describe: ({ commands }) => `resume the vCPUs (${commands.map(({ execute }) => execute).join(", ")})`,
    where: "qemu",
    record: "dropped",
    releases: "nothing",
  },
};

function describeSpawn({ context, peers = [], program, taps = [], uid }: LaunchSpec): string {
  const with_ = [...peers.map(describePeer), ...taps.map(describeTap)]
    .map((given) => `, with ${given}`)
    .join("");
  return `start ${program} as uid ${uid} in ${context ?? NOT_CONFINED}${with_}`;
}
