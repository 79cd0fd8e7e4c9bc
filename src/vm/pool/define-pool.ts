import type { Instance } from "../../state/instance.ts";
import { poolNoteRemovals } from "../../state/pools/pool-notes.ts";
import { poolStore } from "../../state/pools/pools.ts";
import { formatPool, parsePool } from "../../storage/pool/document.ts";
import type { Pool } from "../../storage/pool/stored-pool.ts";
import type { Edited, TreatChange } from "../define/edit-definition.ts";
import { carryOut } from "../object-change/carry-out.ts";
import type { Change } from "../object-change/change.ts";
import { plannedOf } from "../object-change/change-of.ts";
import { editStored } from "../stored/edit-stored.ts";
import type { StoredIdentity } from "../stored/mark-stored.ts";
import { definedPool, findPool, inactivePool, invalid } from "./find-pool.ts";
import { completeForHost } from "./new-pool.ts";
import { refuseKeyToDefine } from "./refuse-key.ts";
import { lookAhead } from "./target-lock.ts";

/**
 * Stores the definition of a pool; replaces one of the same name. An active pool does not change. Throws
 * "xml", "unsupported", "denied"; "in-use" if another pool has its name, UUID, source or folder.
 */
export async function definePool(instance: Instance, bytes: Uint8Array): Promise<StoredIdentity> {
  return await carryOut(instance, poolDefinition(instance, bytes));
}

/** Returns the change of definePool(). Throws "xml", "unsupported". The caller holds no lock. */
export function poolDefinition(instance: Instance, bytes: Uint8Array): Change<StoredIdentity> {
  return replacement(readPool(instance, bytes));
}

function readPool(instance: Instance, bytes: Uint8Array): Pool {
  const pool = parsePool(bytes);
  lookAhead(instance, () => pool);
  return pool;
}

/** Returns the change that stores a pool. The callback throws if the definition is not to be replaced. */
function replacement(pool: Pool, refuse: () => void = () => undefined): Change<StoredIdentity> {
  return {
    kind: "pool",
    plan(instance) {
      refuse();
      const completed = completeForHost(instance, pool);
      const { name, uuid } = completed;
      refuseKeyToDefine(instance, completed);
      const steps = [poolStore.defineStep(instance, name, formatPool(completed))];
      return plannedOf({ kind: "pool", name, uuid }, { command: "pool-define", steps, commit: "last" });
    },
  };
}

/**
 * Removes the definition of an inactive pool. Throws "not-found", "wrong-state". storagePoolUndefine() of
 * libvirt
 */
export async function undefinePool(instance: Instance, key: string): Promise<StoredIdentity> {
  return await carryOut(instance, poolRemoval(key));
}

/** Returns the change of undefinePool(). */
export function poolRemoval(key: string): Change<StoredIdentity> {
  return {
    kind: "pool",
    plan(instance) {
      const { name, uuid } = inactivePool(instance, key, "still");
      // Before the definition: without a pool they are about nothing, and a pool may be without them.
      const notes = poolNoteRemovals(instance, { uuid });
      const steps = [
        ...notes,
        poolStore.defineStep(instance, name, undefined),
        ...poolStore.markSteps(instance, name, false),
      ];
      const commit = notes.length;
      return plannedOf({ kind: "pool", name, uuid }, { command: "pool-undefine", steps, commit });
    },
  };
}

/**
 * Lets the caller edit a pool's definition, and treats the change that `pool-define` would make of it. Throws
 * "not-found", "wrong-state", and the errors of `pool-define`.
 */
export async function editPool<Result>(
  instance: Instance,
  key: string,
  treat: TreatChange<Result>,
): Promise<Edited<Result>> {
  const kind = {
    command: "pool",
    prefix: "pool",
    find: findPool,
    findDefined: (node: Instance, name: string) =>
      definedPool(node, name, (remedy) => invalid("cannot edit transient pool", remedy)),
    parse: (bytes: Uint8Array) => readPool(instance, bytes),
    replacement,
  };
  return await editStored(instance, kind, { key, treat });
}
