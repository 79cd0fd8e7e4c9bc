import { canonical } from "../../domain/forms/canonical.ts";
import { errorsOfWork, SvirtError, throwErrors, unlessRefused } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { findPoolMount, hasMount } from "../../resolve/pool-mount.ts";
import type { Instance } from "../../state/instance.ts";
import { removePoolNotes } from "../../state/pools/pool-notes.ts";
import { poolStore } from "../../state/pools/pools.ts";
import { parsePoolText } from "../../storage/pool/document.ts";
import type { Pool } from "../../storage/pool/keep-pool.ts";
import { findGuestMounting, findGuestOn } from "../guest/guests-on-mount.ts";
import { changeStored } from "../stored/change-stored.ts";
import type { StoredIdentity } from "../stored/mark-stored.ts";
import { activePool, invalid } from "./find-pool.ts";
import { logOut, refuseUsedSession, whileLoggingOut } from "./iscsi/session.ts";
import { endGroup, refuseUsedGroup } from "./made/volume-group.ts";

/**
 * Makes a pool inactive: unmounts what its start has mounted, logs out of its iSCSI target, or deactivates its volume group. A server may take long, so the
 * registry's lock is not held meanwhile. Throws "not-found", "wrong-state"; "in-use" for a file system or a session that is in
 * use, and the pool stays active.
 */
export async function endPool(instance: Instance, key: string): Promise<StoredIdentity> {
  const seen = readable(activePool(instance, key).active);
  if (seen !== undefined && isMounted(instance, seen)) {
    await changeStored(instance, () => refuseGuest(instance, seen));
    await unmountPool(instance, seen);
  }
  return await whileLoggingOut(instance, seen, async () => {
    const { active, name, pool, uuid } = await changeStored(instance, () => endActive(instance, key, seen));
    // No guest gets a volume of the pool any more.
    const release = pool?.type === "logical" ? endGroup : logOut;
    const failed = pool === undefined ? [] : await errorsOfWork(async () => await release(instance, pool));
    if (failed.length > 0) {
      await changeStored(instance, () => {
        if (poolStore.read(instance, name)?.active === undefined)
          poolStore.writeActive(instance, name, active);
      });
      throwErrors(failed);
    }
    return { name, uuid };
  });
}

/** Records that a pool is inactive. Throws "wrong-state" if it is another one than before; "in-use". The caller holds the registry's lock. */
function endActive(instance: Instance, key: string, seen: Pool | undefined) {
  const found = activePool(instance, key);
  const pool = readable(found.active);
  if (pool !== undefined && isMounted(instance, pool))
    throw invalid(`storage pool '${found.name}' was mounted meanwhile`, "Repeat the command.");
  if (pool?.type === "iscsi" && canonical(pool.source) !== canonical(seen?.source))
    throw invalid(
      `storage pool '${found.name}' was started with another target meanwhile`,
      "Repeat the command.",
    );
  if (pool?.type === "logical") refuseUsedGroup(instance, pool);
  else if (pool !== undefined) refuseUsedSession(instance, pool);
  if (found.defined === undefined) removePoolNotes(instance, found);
  poolStore.removeActive(instance, found.name);
  return { ...found, pool };
}

/** Returns the pool; undefined for a damaged file, which keeps no pool active. */
function readable(active: string): Pool | undefined {
  return unlessRefused(() => parsePoolText(active));
}

function isMounted({ host }: Instance, pool: Pool): boolean {
  return hasMount(pool) && findPoolMount(host, pool) !== undefined;
}

async function unmountPool(instance: Instance, pool: Pool): Promise<void> {
  const path = pool.target?.path ?? "";
  try {
    await instance.host.unmount(folderAbove(instance.host, path), path);
  } catch (error) {
    // A guest may have been started meanwhile.
    if (error instanceof SvirtError && error.kind === "in-use")
      await changeStored(instance, () => refuseGuest(instance, pool, error));
    throw error;
  }
}

/**
 * Throws "in-use" while a guest claims a file of the mount, also if no process has it open: it is being started, or its QEMU has
 * ended and its labels are not restored yet. So does a guest whose folder below is still mounted.
 */
function refuseGuest(instance: Instance, pool: Pool, cause?: SvirtError): void {
  const mount = findPoolMount(instance.host, pool);
  const guest =
    mount === undefined
      ? undefined
      : (findGuestOn(instance, mount.device) ?? findGuestMounting(instance, mount.path));
  if (guest === undefined) return;
  throw new SvirtError(
    `Cannot unmount ${mount?.path}: the guest ${guest} uses a volume of the storage pool '${pool.name}'`,
    {
      kind: "in-use",
      remedy: `Stop that guest: svirt shutdown ${guest}. If it has ended: svirt recover`,
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

/** Returns the folder that has the mount point. Throws "denied" if the path leads through a symbolic link. */
function folderAbove(host: Host, path: string): Parameters<Host["unmount"]>[0] {
  const above = path.slice(0, path.lastIndexOf("/")) || "/";
  const id = host.inspectFile(above)?.id;
  if (id?.path === above) return id;
  throw new SvirtError(`Cannot unmount ${path}: ${above} is another folder than when it was mounted`, {
    kind: "denied",
    remedy: `Find the program that replaced it, and unmount it yourself: umount ${path}`,
  });
}
