import { canonical } from "../../domain/forms/canonical.ts";
import { unlessRefused } from "../../errors.ts";
import { withHeld } from "../../labelling/free-file.ts";
import type { Instance } from "../../state/instance.ts";
import { hasFolder } from "../../storage/pool/rules/startable.ts";
import type { Pool } from "../../storage/pool/stored-pool.ts";
import { invalid } from "./find-pool.ts";
import { findTarget } from "./find-target.ts";
import type { Held } from "./make-target.ts";

/**
 * Inspects the target of a pool before the registry's lock is taken: on a file system that hangs, this
 * command then waits alone. An error is left to the inspection under the lock.
 */
export function lookAhead({ host }: Instance, readPool: () => Pool): void {
  unlessRefused(() => {
    const pool = readPool();
    if (pool.target !== undefined && hasFolder(pool)) findTarget(host, pool.target.path);
  });
}

/**
 * Does the work under the registry's lock, after a look at the target, and at guests that may hold a target
 * that gets permissions.
 */
export async function withTargetLock<Result>(
  instance: Instance,
  { isBuilt, pool }: { readonly pool: Pool; readonly isBuilt: boolean },
  work: (held: Held) => Result | Promise<Result>,
): Promise<Result> {
  lookAhead(instance, () => pool);
  const { target } = pool;
  const isChanged = isBuilt && hasFolder(pool) && target?.permissions !== undefined;
  return await withHeld(instance, isChanged ? [target.path] : [], work);
}

/** Lock of a change that makes or opens the target of a pool, and what it has found held. */
export interface TargetHold {
  hold<Result>(instance: Instance, work: () => Promise<Result>): Promise<Result>;
  /** Returns what the last hold has found; nothing before. */
  held(): Held;
}

/** Returns withTargetLock() for a change, which takes its lock before its plan. */
export function targetHold(target: Parameters<typeof withTargetLock>[1]): TargetHold {
  let last: Held = new Map();
  return {
    hold: async (instance, work) =>
      await withTargetLock(instance, target, async (held) => {
        last = held;
        return await work();
      }),
    held: () => last,
  };
}

/**
 * Throws "wrong-state" if a definition names a target or permissions not looked at, or another source than
 * opened or formatted without the lock.
 */
export function refuseChanged(seen: Pool, pool: Pool): void {
  const { name, target } = pool;
  const isSeen = target?.permissions === undefined || seen.target?.permissions !== undefined;
  if (isSeen && seen.target?.path === target?.path && storageOf(seen) === storageOf(pool)) return;
  throw invalid(`the definition of storage pool '${name}' was changed meanwhile`, "Repeat the command.");
}

/** Returns the mount of a start, with its label. */
function storageOf({ mountOptions, source, target, type }: Pool): string {
  return canonical([type, source, mountOptions, target?.permissions?.label]);
}
