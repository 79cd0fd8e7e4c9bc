import { isPartialVolume } from "../../../plan/partial-names.ts";
import { readLogicalVolumes } from "../../../resolve/pools/lvm-reports.ts";
import type { Instance } from "../../../state/instance.ts";
import { isPartLocked } from "../../../state/locks.ts";
import { lvm } from "../../../storage/pool/logical/commands.ts";
import type { LogicalVolume } from "../../../storage/pool/logical/reports.ts";
import { runTool } from "./run-tool.ts";

/** Removes volumes of a group left without their data by an interrupted call. LVM keeps an open volume. */
export async function removeLeftParts(
  instance: Instance,
  group: string,
  volumes: readonly Pick<LogicalVolume, "name">[],
): Promise<void> {
  const left = volumes.filter(({ name }) => isPartialVolume(name) && !isPartLocked(instance, name));
  if (left.length === 0) return;
  const names = new Set(left.map(({ name }) => name));
  // Listed again: a call ended since may have given a volume its name.
  for (const { name } of await readLogicalVolumes(instance.host, group)) {
    if (!names.has(name)) continue;
    const attempt = `remove the volume ${group}/${name}`;
    await runTool(instance.host, { words: lvm.removeVolume(group, name), attempt });
  }
}
