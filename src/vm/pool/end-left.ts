import { unlessRefused } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { poolStore } from "../../state/pools/pools.ts";
import type { UnfinishedPoolWork } from "../../state/unfinished-schema.ts";
import { parsePoolText } from "../../storage/pool/document.ts";
import type { Pool } from "../../storage/pool/stored-pool.ts";
import { plannedOf } from "../object-change/change-of.ts";
import { forgetWork } from "../object-change/noted-work.ts";
import type { SlowChange } from "../object-change/slow-change.ts";
import { changeStored } from "../stored/change-stored.ts";
import { findStored } from "../stored/find-stored.ts";
import type { StoredIdentity } from "../stored/mark-stored.ts";
import { poolBackendOf } from "./backends/table.ts";
import { startedMeanwhile } from "./find-pool.ts";
import { listLeftPoolWork } from "./left-work.ts";

/** Work of a killed call on an inactive pool, or on a pool without a record. */
interface LeftPool {
  readonly work: UnfinishedPoolWork;
  readonly pool: Pool;
}

/**
 * Returns the work on a pool to be undone by its end; undefined for an active pool, for the build of a
 * defined pool, and for a restricted key: it leaves sessions.
 */
export function findLeftPool(instance: Instance, key: string): LeftPool | undefined {
  if (instance.isForKey === true) return undefined;
  const work = listLeftPoolWork(instance);
  if (work.length === 0) return undefined;
  const found = unlessRefused(() => findStored(poolStore, instance, key));
  if (found?.active !== undefined) return undefined;
  return work
    .flatMap((one) => {
      const pool = unlessRefused(() => parsePoolText(one.xml));
      return pool === undefined ? [] : [{ work: one, pool }];
    })
    .filter(({ work: { kind } }) => kind === "source" || found === undefined)
    .find(({ pool, work: { name } }) => name === (found?.name ?? key) || pool.uuid === key);
}

/** Returns the change to release the source of such a pool and to remove the note. */
export function leftEnd({ pool, work }: LeftPool): SlowChange<StoredIdentity> {
  const { name, uuid = "" } = pool;
  const { end } = poolBackendOf(pool.type);
  if (end === "holds nothing" || end.source === "shared" || work.kind === "storage")
    return {
      kind: "pool",
      plan: async () => ({ change: undefined }),
      async run(instance) {
        forgetWork(instance, (one) => one.kind !== "volume" && one.name === name);
        return { name, uuid };
      },
    };
  const { after, check, source } = end;
  const plan = async (instance: Instance): ReturnType<SlowChange<unknown>["plan"]> => {
    await changeStored(instance, () => {
      if (poolStore.read(instance, name)?.active !== undefined) throw startedMeanwhile(name);
      check(instance, pool, pool);
    });
    const steps = await after(instance, pool);
    return plannedOf({ kind: "pool", name, uuid }, { command: "pool-destroy", steps, commit: "repeat" });
  };
  return {
    kind: "pool",
    hold: async (instance, run) => await source.hold(instance, pool, run),
    // The present note stays until the source is released.
    noted: { work: () => work, isNeeded: () => false },
    plan,
    async run(instance, run) {
      await run((await plan(instance)).change?.steps ?? []);
      return { name, uuid };
    },
  };
}
