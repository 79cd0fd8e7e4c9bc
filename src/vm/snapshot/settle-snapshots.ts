import { asSvirtError, type SvirtError } from "../../errors.ts";
import { listNamedPaths } from "../../resolve/definition-names.ts";
import { removeImage } from "../../run/steps/block/make-image.ts";
import { readDefinition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";
import {
  listSnapshotChanges,
  readSnapshotChange,
  removeSnapshotChange,
  type SnapshotChange,
  writeSnapshots,
} from "../../state/snapshots/snapshots.ts";

/**
 * Finishes or undoes the changes of inactive domains interrupted by a kill of svirt, or by a step refused by
 * the host. Returns the errors.
 */
export async function settleSnapshots(instance: Instance): Promise<readonly SvirtError[]> {
  const errors: SvirtError[] = [];
  for (const uuid of listSnapshotChanges(instance)) {
    try {
      await withRegistryLock(instance, async () => settleChange(instance, uuid));
    } catch (error) {
      errors.push(asSvirtError(error));
    }
  }
  return errors;
}

/**
 * Finishes an unfinished change if the domain has its images, and undoes it otherwise. Of the new images only
 * still empty files are removed. The caller holds the registry's lock.
 */
export function settleChange(instance: Instance, uuid: string): void {
  const change = readSnapshotChange(instance, uuid);
  if (change === undefined) return;
  if (isMade(change, readDefinition(instance, change.name)?.xml)) writeSnapshots(instance, uuid, change.tree);
  else for (const image of change.images) removeImage(instance.host, { do: "remove-image", ...image });
  removeSnapshotChange(instance, uuid);
}

/**
 * Whether the definition has the change. Another call may have changed other parts of it since, so that its
 * images decide.
 */
function isMade({ definition, images }: SnapshotChange, xml: string | undefined): boolean {
  if (xml === undefined || xml === definition) return xml !== undefined;
  const named = listNamedPaths(xml);
  return images.length > 0 && images.every(({ path }) => named.includes(path));
}
