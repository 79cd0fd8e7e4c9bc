import { SvirtError, unlessRefused } from "../../errors.ts";
import { hasMount } from "../../resolve/pool-mount.ts";
import type { Instance } from "../../state/instance.ts";
import { poolStore } from "../../state/pools/pools.ts";
import type { StoredXml } from "../../state/xml-store.ts";
import { type CompletedPool, completePool } from "../../storage/pool/complete.ts";
import { parsePoolText } from "../../storage/pool/document.ts";
import { hasSameSource, hasTargetWithin } from "../../storage/pool/rules/source-conflict.ts";
import { hasFolder } from "../../storage/pool/rules/startable.ts";
import type { Pool } from "../../storage/pool/stored-pool.ts";
import { refuseDamaged } from "../stored/refuse-damaged.ts";
import { findTarget } from "./find-target.ts";
import { refuseKey } from "./refuse-key.ts";
import { targetLabel } from "./target-label.ts";

/**
 * Returns a pool with the parts added by libvirt's define. Without a UUID, it gets the UUID of the pool with
 * its name, or a new UUID. Throws "in-use" if name and UUID belong to different pools, or if another pool has
 * its source or its folder; "denied" for a target closed to guests, and as refuseKey(). The caller holds the
 * registry's lock.
 */
export function completeForHost(instance: Instance, pool: Pool): CompletedPool {
  const known = poolStore.list(instance);
  const uuid = known.find(({ name }) => name === pool.name)?.uuid;
  const completed = completePool(pool, uuid ?? instance.host.makeUuid());
  refuseKey(instance, completed);
  refuseOtherPool(completed, known);
  refuseConflict(completed, known);
  const { target } = completed;
  if (target === undefined || !hasFolder(completed)) return completed;
  findTarget(instance.host, target.path);
  // The start knows whether the files of a mount have labels of their own.
  targetLabel(instance, target, hasMount(completed));
  return completed;
}

/**
 * Throws "in-use" with libvirt's messages if the name or the UUID belongs to another pool.
 * virStoragePoolObjIsDuplicate()
 */
function refuseOtherPool({ name, uuid }: CompletedPool, known: readonly StoredXml[]): void {
  const other = known.find((one) => (one.name === name) !== (one.uuid === uuid));
  if (other === undefined) return;
  const why =
    other.name === name
      ? `pool '${name}' already exists with uuid ${other.uuid}`
      : `pool '${other.name}' is already defined with uuid ${other.uuid}`;
  throw failed(why, "Give this pool another name and leave its <uuid> out, or undefine the other pool.");
}

/**
 * Throws "in-use" if another pool, active or defined, has the source or the folder of this pool. Throws
 * "failed" for a damaged file of an active pool; if devices are overwritten, of any pool: they may be its
 * own.
 */
export function refuseConflictNow(
  instance: Instance,
  pool: Pool,
  { overwrites }: { readonly overwrites: boolean },
): void {
  refuseDamaged(poolStore, instance, {
    which: overwrites ? "all" : "active",
    except: pool.name,
    parse: parsePoolText,
  });
  refuseConflict(pool, poolStore.list(instance));
}

function refuseConflict(pool: Pool, known: readonly StoredXml[]): void {
  for (const stored of known) {
    if (stored.name === pool.name) continue;
    for (const other of [stored.active, stored.defined].flatMap(parsed)) {
      if (hasSameSource(pool, other))
        throw failed(
          `Storage source conflict with pool: '${other.name}'`,
          "Use that pool, or undefine it first.",
        );
      if (hasTargetWithin(pool, other))
        throw failed(
          `Storage target conflict with pool: '${other.name}', whose target is ${other.target?.path}`,
          "Write another folder into <path>: no pool's folder is inside of another's.",
        );
    }
  }
}

/** Returns the pool of a document; none of a missing or damaged document. */
function parsed(xml: string | undefined): readonly Pool[] {
  const pool = xml === undefined ? undefined : unlessRefused(() => parsePoolText(xml));
  return pool === undefined ? [] : [pool];
}

function failed(why: string, remedy: string): SvirtError {
  return new SvirtError(`operation failed: ${why}`, {
    kind: "in-use",
    libvirt: "OPERATION_FAILED",
    from: "STORAGE",
    remedy,
  });
}
