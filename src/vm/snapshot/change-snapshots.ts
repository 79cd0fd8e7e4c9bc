import type { Instance } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";
import { type SnapshotTree, writeSnapshots } from "../../state/snapshots/snapshots.ts";
import { type DomainSnapshots, findSnapshots } from "./find-snapshot.ts";
import { settleChange } from "./settle-snapshots.ts";

/**
 * Changes the stored snapshots of a domain, in one write. No image changes. Throws "not-found", and the
 * errors of the change.
 */
export async function changeSnapshots(
  instance: Instance,
  key: string,
  change: (found: DomainSnapshots) => SnapshotTree,
): Promise<void> {
  await withRegistryLock(instance, async () => {
    const { domain } = findSnapshots(instance, key);
    settleChange(instance, domain.uuid);
    writeSnapshots(instance, domain.uuid, change(findSnapshots(instance, domain.uuid)));
  });
}
