import { isPartialVolume } from "../../../plan/partial-names.ts";
import type { StepOf } from "../../../plan/steps/step.ts";
import { listLogicalParts } from "../../../resolve/pools/logical-devices.ts";
import { readLogicalVolumes } from "../../../resolve/pools/lvm-reports.ts";
import { runTool } from "../../../run/steps/pool/run-tool.ts";
import type { Instance } from "../../../state/instance.ts";
import { isPartLocked } from "../../../state/locks.ts";
import { lvm } from "../../../storage/pool/logical/commands.ts";
import type { LogicalVolume } from "../../../storage/pool/logical/reports.ts";

/**
 * Lists the volumes of a group, of those that LVM has listed, left without their data by an interrupted call.
 * LVM lists them again: a call ended since may have given a volume its name.
 */
export async function listLeftParts(
  instance: Instance,
  group: string,
  listed: readonly Pick<LogicalVolume, "name">[],
): Promise<readonly string[]> {
  const left = listed.filter(({ name }) => isPartialVolume(name) && !isPartLocked(instance, name));
  if (left.length === 0) return [];
  const again = await readLogicalVolumes(instance.host, group);
  return left.flatMap(({ name }) => (again.some((one) => one.name === name) ? [name] : []));
}

/** Returns the step that removes such a volume. LVM keeps an open volume. */
export function removalOfPart(group: string, name: string): StepOf<"run-tool"> {
  return {
    do: "run-tool",
    words: lvm.removeVolume(group, name),
    attempt: `remove the volume ${group}/${name}`,
  };
}

/**
 * Lists the paths of such volumes that are active, without asking LVM, which may wait for a disk. They are
 * listed twice: a call ended in between has given its volume another name.
 */
export function listLeftVolumes(instance: Instance, group: string): readonly string[] {
  const list = (): readonly string[] => listLogicalParts(instance.host, group);
  const left = list().filter((name) => !isPartLocked(instance, name));
  return list().flatMap((name) => (left.includes(name) ? [`/dev/${group}/${name}`] : []));
}

/** Removes such volumes of a group, as far as they are active. Asks LVM only if there are any. */
export async function removeLeftVolumes(instance: Instance, group: string): Promise<void> {
  const active = listLogicalParts(instance.host, group).map((name) => ({ name }));
  for (const name of await listLeftParts(instance, group, active))
    await runTool(instance.host, removalOfPart(group, name));
}
