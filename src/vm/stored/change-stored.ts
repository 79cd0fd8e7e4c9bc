import type { Instance } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";

/** Changes objects under the registry's lock, a process at a time. */
export async function changeStored<Result>(
  instance: Instance,
  work: () => Result | Promise<Result>,
): Promise<Result> {
  return await withRegistryLock(instance, async () => await work());
}
