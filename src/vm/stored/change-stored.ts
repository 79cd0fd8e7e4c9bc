import type { Instance } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";

/** Does work changing objects of a kind, a process at a time. */
export type ChangeStored = <Result>(
  instance: Instance,
  work: () => Result | Promise<Result>,
) => Promise<Result>;

/** Changes objects under the registry's lock. */
export const changeStored: ChangeStored = async (instance, work) =>
  await withRegistryLock(instance, async () => await work());
