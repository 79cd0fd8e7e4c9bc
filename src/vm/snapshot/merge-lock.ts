import { asSvirtError, SvirtError } from "../../errors.ts";
import { deviceLock } from "../../plan/paths.ts";
import type { Instance } from "../../state/instance.ts";

/** Does the work while no other call merges a snapshot of the domain. Throws "wrong-state" if one does. The kernel unlocks it when svirt is killed. */
export async function withMergeLock<Result>(
  instance: Instance,
  uuid: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const release = await lockMerge(instance, uuid);
  if (release === undefined) throw alreadyMerging();
  try {
    return await work();
  } finally {
    release();
  }
}

/** Locks the merges of a domain; undefined if another call has the lock. */
export async function lockMerge({ host, paths }: Instance, uuid: string): Promise<(() => void) | undefined> {
  try {
    return await host.lock(deviceLock(paths, uuid, "merge"), 0);
  } catch (error) {
    if (asSvirtError(error).kind !== "timeout") throw error;
    return undefined;
  }
}

function alreadyMerging(): SvirtError {
  return new SvirtError(
    "Operation not supported: cannot delete external snapshots when there is another active block job",
    {
      kind: "wrong-state",
      libvirt: "OPERATION_UNSUPPORTED",
      remedy: "Another call deletes a snapshot of this domain: wait until it has ended.",
    },
  );
}
