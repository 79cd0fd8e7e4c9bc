import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { notePool } from "../../state/pools/pool-notes.ts";
import { parsePoolText } from "../../storage/pool/document.ts";
import { supportedPool } from "../../storage/pool/rules/startable.ts";
import { changeStored } from "../stored/change-stored.ts";
import type { StoredIdentity } from "../stored/mark-stored.ts";
import { poolBackendOf } from "./backends/table.ts";
import { findPool, inactivePool } from "./find-pool.ts";
import { lookAhead } from "./target-lock.ts";

/**
 * Removes the storage of an inactive pool, if it is empty: its folder, or its volume group. The definition
 * stays. Throws "not-found" for a missing folder, "wrong-state" for one with files, for a group with volumes
 * and for an active pool, "in-use" for one that a guest uses, "unsupported", "denied".
 */
export async function deletePool(instance: Instance, key: string): Promise<StoredIdentity> {
  const { defined: seen = "" } = findPool(instance, key);
  lookAhead(instance, () => parsePoolText(seen));
  const { pool, remove, ...deleted } = await changeStored(instance, async () => {
    const { defined, name, uuid } = inactivePool(instance, key, "still");
    const found = supportedPool(parsePoolText(defined), "delete");
    const work = poolBackendOf(found.type).remove;
    if (work === "not removed") throw notDeleted(name);
    if (work.isHeld) await work.run(instance, found);
    return { name, uuid, pool: found, remove: work };
  });
  if (!remove.isHeld) await remove.run(instance, pool);
  await changeStored(instance, () => notePool(instance, deleted, "deleted"));
  return deleted;
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
