import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { tryLock } from "../../state/locks.ts";

/**
 * Does the work while no other call merges a snapshot of the domain. Throws "wrong-state" if one does. The
 * kernel unlocks it when svirt is killed.
 */
export async function withMergeLock<Result>(
  instance: Instance,
  uuid: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const release = await tryLock(instance, uuid, "merge");
  if (release === undefined)
    throw besideJob("Another call deletes a snapshot of this domain: wait until it has ended.");
  try {
    return await work();
  } finally {
    release();
  }
}

/** Returns libvirt's refusal of a deletion beside another job. */
export function besideJob(remedy: string): SvirtError {
  return new SvirtError(
    "Operation not supported: cannot delete external snapshots when there is another active block job",
    { kind: "wrong-state", libvirt: "OPERATION_UNSUPPORTED", remedy },
  );
}
