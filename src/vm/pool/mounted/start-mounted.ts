import { errorsOfWork, joinErrors, SvirtError } from "../../../errors.ts";
import type { FileFacts } from "../../../host/files.ts";
import { findMountAt } from "../../../run/mount-at.ts";
import type { Instance } from "../../../state/instance.ts";
import { poolStore } from "../../../state/pools/pools.ts";
import { backendOf } from "../../../storage/pool/backends/table.ts";
import { hasFormattedDevice, supportedPool } from "../../../storage/pool/rules/startable.ts";
import type { Pool } from "../../../storage/pool/stored-pool.ts";
import { findGuestBelow } from "../../guest/guests-on-mount.ts";
import type { StoredIdentity } from "../../stored/mark-stored.ts";
import { refuseBuildOver } from "../device/refuse-defined.ts";
import { sourceDevice } from "../device/source-device.ts";
import { invalid } from "../find-pool.ts";
import { openTarget, type PoolStart } from "../open-target.ts";
import { withTargetLock } from "../target-lock.ts";
import { makeFileSystem } from "./make-file-system.ts";
import { openPoolMount } from "./open-pool-mount.ts";

/**
 * Mounts a pool's source and makes the pool active. The file system is opened first, without a lock, and is
 * mounted nowhere until the active pool is recorded. Killed before, svirt leaves nothing; killed after it, a
 * repeated start mounts it, and pool-destroy ends it. Throws "denied" for the holder of a key, and as
 * openPoolMount().
 */
export async function startMounted(
  instance: Instance,
  { choose, end, options, seen }: PoolStart,
): Promise<StoredIdentity> {
  const { mount } = backendOf(seen.type);
  // Refuses an option in the XML before anything is made.
  if (mount !== "none" && mount.plan !== "by the device") mount.plan(seen);
  const { formatting, isBuilt } = options;
  if (formatting !== undefined)
    refuseBuildOver(instance, seen.name, { devices: seen.source.devices, isWritten: true });
  await withTargetLock(
    instance,
    { pool: seen, isBuilt },
    (held) => void checkMountable(instance, choose().pool, { ...options, held }),
  );
  if (formatting !== undefined) await makeFileSystem(instance, seen, formatting);
  const opened = await openPoolMount(instance, supportedPool(seen, "start"));
  let recorded: string | undefined;
  try {
    return await withTargetLock(instance, { pool: seen, isBuilt: false }, (held) => {
      const { name, pool, uuid, xml } = choose();
      const { id } = checkMountable(instance, pool, { isBuilt: false, held });
      recorded = name;
      poolStore.writeActive(instance, name, xml);
      opened.attach(id);
      return { name, uuid };
    });
  } catch (error) {
    if (recorded === undefined || poolStore.read(instance, recorded)?.active === undefined) throw error;
    throw await undone(error, end(recorded));
  } finally {
    await opened.close();
  }
}

/**
 * Checks that a pool can be mounted, and makes its folder on request. Returns the folder. The caller holds
 * the registry's lock.
 */
function checkMountable(
  instance: Instance,
  pool: Pool,
  options: Parameters<typeof openTarget>[2],
): FileFacts {
  const folder = openTarget(instance, pool, options);
  if (findMountAt(instance.host, folder.id.path) !== undefined)
    throw invalid(
      `Target '${folder.id.path}' is already mounted`,
      `Unmount it: umount ${folder.id.path}, or define a pool of type dir on it.`,
    );
  const guest = findGuestBelow(instance, folder.id.path);
  if (guest !== undefined)
    throw new SvirtError(
      `Cannot mount at ${folder.id.path}: the guest ${guest} uses a file or folder there`,
      {
        kind: "in-use",
        remedy: `Stop that guest: svirt shutdown ${guest}`,
      },
    );
  if (hasFormattedDevice(pool)) sourceDevice(instance, pool);
  return folder;
}

/** Waits for the end of what a failed start has begun. Returns the error with those of the end. */
async function undone(error: unknown, end: Promise<unknown>): Promise<SvirtError> {
  return joinErrors(error, await errorsOfWork(async () => await end));
}
