import type { Domain } from "../../domain/domain.ts";
import type { Step } from "../../plan/steps/step.ts";
import type { LevelOffer } from "../../registry/level-allocator.ts";
import { runPlan, type StepObserver } from "../../run/steps/run-plan.ts";
import { actorFor } from "../../state/actor-for.ts";
import { type Instance, isSession } from "../../state/instance.ts";
import { poolStore } from "../../state/pools/pools.ts";
import { undoBegun } from "../end/undo-start.ts";

/** Start of a guest with possible mounts of its own. `taken`: the steps already in its record. */
export interface MountingStart {
  readonly domain: Domain;
  readonly written: Domain;
  readonly offer: LevelOffer;
  readonly taken: readonly Step[];
  readonly observer: StepObserver;
}

/**
 * Mounts the folders of files without labels of their own with the guest's label, then does the work: it
 * finds the files with the label. The guest's record is written before the first mount, and the work
 * continues with its steps. If the work fails, the folders are unmounted. The caller holds the guest's lock,
 * and no other: a server may take long.
 */
export async function withOwnMounts<Result>(
  instance: Instance,
  start: MountingStart,
  work: (done: readonly Step[]) => Promise<Result>,
): Promise<Result> {
  const { domain, observer, taken } = start;
  if (!mayNeedMounts(instance)) return await work(taken);
  const { beginOwnMounts } = await import("./plan-own-mounts.ts");
  try {
    const begun = await beginOwnMounts(instance, start);
    if (begun === undefined) return await work(taken);
    const { claims, mounts, record } = begun;
    const before = [...taken, ...claims];
    await runPlan(actorFor(instance, record), mounts, (moment, step, at) =>
      observer(moment, step, before.length + at),
    );
    return await work([...before, ...mounts]);
  } catch (error) {
    await undoBegun(instance, domain.uuid, error);
    throw error;
  }
}

/**
 * Reports whether a pool is active, which may be a server's. Most hosts have none, and need no other look.
 */
export function mayNeedMounts(instance: Instance): boolean {
  return !isSession(instance) && poolStore.listEntries(instance).some(({ isActive }) => isActive);
}
