import type { Instance } from "../../state/instance.ts";
import { removePoolNotes } from "../../state/pools/pool-notes.ts";
import { poolStore } from "../../state/pools/pools.ts";
import { formatPool, parsePool } from "../../storage/pool/document.ts";
import type { Pool } from "../../storage/pool/stored-pool.ts";
import type { Edited } from "../define/edit-definition.ts";
import { changeStored } from "../stored/change-stored.ts";
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
  const pool = readPool(instance, bytes);
  return await changeStored(instance, () => storePool(instance, pool));
}

function readPool(instance: Instance, bytes: Uint8Array): Pool {
  const pool = parsePool(bytes);
  lookAhead(instance, () => pool);
  return pool;
}

function storePool(instance: Instance, pool: Pool): StoredIdentity {
  const completed = completeForHost(instance, pool);
  const { name, uuid } = completed;
  refuseKeyToDefine(instance, completed);
  poolStore.writeDefined(instance, name, formatPool(completed));
  return { name, uuid };
}

/**
 * Removes the definition of an inactive pool. Throws "not-found", "wrong-state". storagePoolUndefine() of
 * libvirt
 */
export async function undefinePool(instance: Instance, key: string): Promise<StoredIdentity> {
  return await changeStored(instance, () => {
    const { name, uuid } = inactivePool(instance, key, "still");
    removePoolNotes(instance, { uuid });
    poolStore.removeDefined(instance, name);
    return { name, uuid };
  });
}

/**
 * Lets the caller edit a pool's definition and stores the result as `pool-define` would. Throws "not-found",
 * "wrong-state", and the errors of `pool-define`.
 */
export async function editPool(instance: Instance, key: string): Promise<Edited> {
  const kind = {
    command: "pool",
    prefix: "pool",
    find: findPool,
    findDefined: (node: Instance, name: string) =>
      definedPool(node, name, (remedy) => invalid("cannot edit transient pool", remedy)),
    parse: (bytes: Uint8Array) => readPool(instance, bytes),
    save: async (node: Instance, pool: Pool, refuse: () => void) =>
      await changeStored(node, () => {
        refuse();
        storePool(node, pool);
      }),
  };
  return await editStored(instance, kind, key);
}
