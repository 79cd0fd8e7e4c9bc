import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { notePool } from "../../state/pools/pool-notes.ts";
import { parsePoolText } from "../../storage/pool/document.ts";
import { supportedPool, type TargetPool } from "../../storage/pool/rules/startable.ts";
import type { Pool } from "../../storage/pool/stored-pool.ts";
import type { Change, Planned } from "../object-change/change.ts";
import { plannedOf } from "../object-change/change-of.ts";
import { poolWork } from "../object-change/noted-work.ts";
import { carryOutEither, type SlowChange } from "../object-change/slow-change.ts";
import { changeStored } from "../stored/change-stored.ts";
import type { StoredIdentity } from "../stored/mark-stored.ts";
import type { Removal } from "./backends/backend.ts";
import { poolBackendOf } from "./backends/table.ts";
import { findPool, inactivePool } from "./find-pool.ts";
import { removeOverPoolNotes } from "./left-work.ts";
import { lookAhead, refuseChanged } from "./target-lock.ts";

/**
 * Removes the storage of an inactive pool, if it is empty: its folder, or its volume group. The definition
 * stays. Throws "not-found" for a missing folder, "wrong-state" for one with files, for a group with volumes
 * and for an active pool, "in-use" for one that a guest uses, "unsupported", "denied".
 */
export async function deletePool(instance: Instance, key: string): Promise<StoredIdentity> {
  removeOverPoolNotes(instance);
  const deleted = await carryOutEither(instance, poolRemoval(instance, key));
  await changeStored(instance, () => notePool(instance, deleted, "deleted"));
  return deleted;
}

/** Returns the change of deletePool(). Throws "not-found". */
export function poolRemoval(
  instance: Instance,
  key: string,
): Change<StoredIdentity> | SlowChange<StoredIdentity> {
  const { defined = "" } = findPool(instance, key);
  lookAhead(instance, () => parsePoolText(defined));
  const seen = parsePoolText(defined);
  const { remove } = poolBackendOf(seen.type);
  if (remove === "not removed" || remove.isHeld)
    return { kind: "pool", plan: async () => await planRemoval(instance, found(instance, key)) };
  const plan = async (): Promise<Planned<StoredIdentity>> =>
    await planRemoval(instance, await changeStored(instance, () => foundAs(instance, key, seen)));
  return {
    kind: "pool",
    hold: async (_, work) => await remove.withSource(instance, seen, work),
    noted: {
      work: (instance) => poolWork(instance, seen, { command: "pool-delete", kind: "storage" }),
      isNeeded: () => true,
    },
    plan,
    async run(_, run) {
      const { change, result } = await plan();
      await run(change?.steps ?? []);
      return result;
    },
  };
}

/** Inactive pool, and how its storage is removed. */
interface Found extends StoredIdentity {
  readonly pool: TargetPool;
  readonly removal: Removal;
}

/** Returns a pool whose storage may be removed. The caller holds the registry's lock. */
function found(instance: Instance, key: string): Found {
  const { defined, name, uuid } = inactivePool(instance, key, "still");
  const pool = supportedPool(parsePoolText(defined), "delete");
  const { remove } = poolBackendOf(pool.type);
  if (remove === "not removed") throw notDeleted(name);
  return { name, uuid, pool, removal: remove };
}

/** Returns found(). Throws "wrong-state" for another source than the locked source. */
function foundAs(instance: Instance, key: string, seen: Pool): Found {
  const now = found(instance, key);
  refuseChanged(seen, now.pool);
  return now;
}

async function planRemoval(
  instance: Instance,
  { name, pool, removal, uuid }: Found,
): Promise<Planned<StoredIdentity>> {
  const steps = await removal.plan(instance, pool);
  const commit = removal.isHeld ? "end" : "repeat";
  return plannedOf({ kind: "pool", name, uuid }, { command: "pool-delete", steps, commit });
}

/** storagePoolDelete() of libvirt */
function notDeleted(name: string): SvirtError {
  return new SvirtError(
    "this function is not supported by the connection driver: pool does not support pool deletion",
    {
      kind: "unsupported",
      libvirt: "NO_SUPPORT",
      remedy: `Its devices are the host's. Remove the definition alone: svirt pool-undefine ${name}`,
    },
  );
}
