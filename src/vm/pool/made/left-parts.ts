import { isPartialVolume } from "../../../plan/half-made.ts";
import type { Instance } from "../../../state/instance.ts";
import { isPartLocked } from "../../../state/locks.ts";
import { lvm } from "../../../storage/pool/logical/commands.ts";
import type { LogicalVolume } from "../../../storage/pool/logical/reports.ts";
import { runTool } from "./run-tool.ts";

/** Removes those volumes of a group that an interrupted call left without their data. LVM keeps one that is open. */
export function removeLeftParts(
  instance: Instance,
  group: string,
  volumes: readonly Pick<LogicalVolume, "name">[],
): void {
  for (const { name } of volumes) {
    if (!isPartialVolume(name) || isPartLocked(instance, name)) continue;
    const attempt = `remove the volume ${group}/${name}`;
    runTool(instance.host, { words: lvm.removeVolume(group, name), attempt });
  }
}
