import type { Instance } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";
import { finishNetworkUpdate, type NetworkUpdateRecord } from "../../state/networks/network-update.ts";
import { finishBridge } from "../../state/networks/pending-bridge.ts";

/**
 * Waits for the registry's lock, finishes a change of a network that was interrupted, and changes networks. The work gets an
 * update that was finished.
 */
export async function changeNetworks<Result>(
  instance: Instance,
  work: (finished: NetworkUpdateRecord | undefined) => Result | Promise<Result>,
): Promise<Result> {
  return await withRegistryLock(instance, async () => {
    await finishBridge(instance);
    return await work(finishNetworkUpdate(instance));
  });
}
