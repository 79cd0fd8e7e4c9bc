import type { Instance } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";
import { settleHeld } from "../object-change/settle.ts";

/**
 * Waits for the registry's lock, settles interrupted changes of networks, and does work on networks that
 * takes no steps.
 */
export async function changeNetworks<Result>(
  instance: Instance,
  work: () => Result | Promise<Result>,
): Promise<Result> {
  return await withRegistryLock(instance, async () => {
    await settleHeld(instance, "network");
    return await work();
  });
}
