import type { Instance } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";
import { finishNetworkUpdate, type NetworkUpdateRecord } from "../../state/network-update.ts";

/**
 * Waits for the registry's lock, finishes an update of a network that was interrupted, and changes networks. The work gets that
 * update.
 */
export async function changeNetworks<Result>(
  instance: Instance,
  work: (finished: NetworkUpdateRecord | undefined) => Result,
): Promise<Result> {
  return await withRegistryLock(instance, async () => work(finishNetworkUpdate(instance)));
}
