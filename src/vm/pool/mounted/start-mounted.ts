import { joinErrors, SvirtError } from "../../../errors.ts";
import type { FileFacts } from "../../../host/files.ts";
import { findMountAt } from "../../../run/mount-at.ts";
import type { Instance } from "../../../state/instance.ts";
import { poolStore } from "../../../state/pools/pools.ts";
import type { Pool } from "../../../storage/pool/keep-pool.ts";
import { planServerMount } from "../../../storage/pool/mount/plan-mount.ts";
import { supportedPool } from "../../../storage/pool/rules/startable.ts";
import { findGuestBelow } from "../../guest/guests-on-mount.ts";
import type { StoredIdentity } from "../../stored/mark-stored.ts";
import { refuseBuildOver } from "../device/refuse-defined.ts";
import { sourceDevice } from "../device/source-device.ts";
import { endPool } from "../end-pool.ts";
import { invalid } from "../find-pool.ts";
import { openTarget, type Startable, type StartOptions } from "../open-target.ts";
import { refuseKey } from "../refuse-key.ts";
import { withTargetLock } from "../target-lock.ts";
import { makeFileSystem } from "./make-file-system.ts";
import { openPoolMount } from "./open-pool-mount.ts";

/** Start of a pool. `choose` returns it under the lock. */
interface Start {
  readonly seen: Pool;
  readonly options: StartOptions;
  choose(): Startable;
}

/**
 * Mounts a pool's source and makes the pool active. The file system is opened first, without a lock, and is mounted nowhere until
 * the active pool is recorded. Killed before that, svirt leaves nothing; killed after it, a start that is repeated mounts it, and
 * pool-destroy ends it. Throws "denied" for the holder of a key, and as openPoolMount().
 */
export async function startMounted(
  instance: Instance,
  { choose, options, seen }: Start,
): Promise<StoredIdentity> {
  refuseKey(instance, seen);
  // Refuses an option in the XML before anything is made.
  if (seen.type === "netfs") planServerMount(seen);
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
    throw recorded === undefined ? error : await undone(instance, recorded, error);
  } finally {
    await opened.close();
  }
}

/** Checks that a pool can be mounted, and makes its folder on request. Returns the folder. The caller holds the registry's lock. */
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
  if (pool.type === "fs") sourceDevice(instance, pool);
  return folder;
}

/** Ends what a failed start has begun. Returns the error with those of the end. */
async function undone(instance: Instance, name: string, error: unknown): Promise<SvirtError> {
  try {
    if (poolStore.read(instance, name)?.active !== undefined) await endPool(instance, name);
    return joinErrors(error, []);
  } catch (later) {
    return joinErrors(error, [later]);
  }
}
