import * as v from "valibot";

const plug = v.object({
  do: v.literal("plug"),
  commands: v.array(v.object({ execute: v.string(), arguments: v.exactOptional(v.unknown()) })),
});
const unplug = v.object({ do: v.literal("unplug"), device: v.string() });
const deviceById = v.object({ id: v.string() });
/** Steps of a record, as the changes of its guest's devices. */
export const recordedPlugs = v.pipe(
  v.array(v.unknown()),
  v.transform((steps): readonly DeviceChange[] => steps.flatMap(changesIn)),
);

/** A device added after a guest's start, or a lost device of its start. */
export interface DeviceChange {
  readonly did: "added" | "removed";
  readonly device: string;
}

function changesIn(step: unknown): readonly DeviceChange[] {
  if (v.is(plug, step))
    return step.commands.flatMap(({ arguments: args, execute }) =>
      execute === "device_add" && v.is(deviceById, args) ? [{ did: "added", device: args.id }] : [],
    );
  return v.is(unplug, step) ? [{ did: "removed", device: step.device }] : [];
}

/**
 * Returns the events between two lists of a guest. A record drops a device attached and detached again: a
 * missing entry is a removal.
 */
export function compareDevices(
  before: readonly DeviceChange[],
  after: readonly DeviceChange[],
): readonly DeviceChange[] {
  const is = (one: DeviceChange) => (other: DeviceChange) =>
    one.did === other.did && one.device === other.device;
  const gone = before.filter((one) => one.did === "added" && !after.some(is(one)));
  const made = after.filter((one) => !before.some(is(one)));
  return [...gone.map(({ device }) => ({ did: "removed", device }) as const), ...made];
}
