import { errorsOf, listErrors, type SvirtError, throwErrors, unlessRefused } from "../../errors.ts";
import { listPoolDevices } from "../../resolve/pools/pool-devices.ts";
import type { Instance } from "../../state/instance.ts";
import { poolStore } from "../../state/pools.ts";
import { formatPool, parsePool, parsePoolText } from "../../storage/pool/document.ts";
import type { Pool } from "../../storage/pool/keep-pool.ts";
import { hasFolder, supportedPool, type TargetPool } from "../../storage/pool/rules/startable.ts";
import { changeStored } from "../stored/change-stored.ts";
import type { StoredIdentity } from "../stored/mark-stored.ts";
import { activePool, findPool, inactivePool, invalid } from "./find-pool.ts";
import { existingTarget } from "./find-target.ts";
import { logOut, refuseUsedSession, withSession } from "./iscsi-session.ts";
import { type Held, makeTarget } from "./make-target.ts";
import { completeForHost, refuseConflict } from "./new-pool.ts";
import { lookAhead, refuseChanged, withTargetLock } from "./target-lock.ts";

/** Whether a start makes the pool's folder first, and whether its storage gets a file system. */
export interface StartOptions {
  readonly isBuilt: boolean;
  readonly isFormatted?: boolean;
}

/**
 * Makes a defined pool active, if its folder is there. Throws "not-found", "denied"; "wrong-state" for an active pool;
 * "unsupported" for one that is no folder; "in-use" for a folder of another pool. storagePoolCreate() of libvirt
 */
export async function startPool(
  instance: Instance,
  key: string,
  { isBuilt, isFormatted = false }: StartOptions,
): Promise<StoredIdentity> {
  const { active, defined = active ?? "" } = findPool(instance, key);
  const seen = parsePoolText(defined);
  const start = (held: Held): StoredIdentity => {
    const { defined: xml, name, uuid } = inactivePool(instance, key, "already");
    const pool = parsePoolText(xml);
    refuseChanged(seen, pool);
    openPool(instance, { pool, isBuilt, isFormatted, held });
    poolStore.writeActive(instance, name, xml);
    return { name, uuid };
  };
  return await withSession(instance, seen, () => withTargetLock(instance, { pool: seen, isBuilt }, start));
}

/**
 * Makes a pool active without defining it. If a definition has its name and UUID, the pool has that again after its end. Throws
 * "xml", and the errors of a definition and a start. storagePoolCreateXML() of libvirt
 */
export async function createPool(
  instance: Instance,
  bytes: Uint8Array,
  { isBuilt, isFormatted = false }: StartOptions,
): Promise<StoredIdentity> {
  const pool = parsePool(bytes);
  const create = (held: Held): StoredIdentity => {
    const completed = completeForHost(instance, pool);
    const { name, uuid } = completed;
    if (poolStore.read(instance, name)?.active !== undefined)
      throw invalid(
        `pool is already active as '${name}'`,
        `Make it inactive first: svirt pool-destroy ${name}`,
      );
    openPool(instance, { pool: completed, isBuilt, isFormatted, held });
    poolStore.writeActive(instance, name, formatPool(completed));
    return { name, uuid };
  };
  return await withSession(instance, pool, () => withTargetLock(instance, { pool, isBuilt }, create));
}

/**
 * Makes the folder of an inactive pool, with the folders above it. A folder that exists gets the permissions in the XML. Throws
 * "not-found", "wrong-state", "unsupported", "denied"; "in-use" for a folder that a guest uses. storagePoolBuild() of libvirt
 */
export async function buildPool(
  instance: Instance,
  key: string,
  { isFormatted = false }: Pick<StartOptions, "isFormatted"> = {},
): Promise<StoredIdentity> {
  const { active, defined = active ?? "" } = findPool(instance, key);
  const seen = parsePoolText(defined);
  return await withTargetLock(instance, { pool: seen, isBuilt: true }, (held) => {
    const { defined: xml, name, uuid } = inactivePool(instance, key, "already");
    const pool = supportedPool(parsePoolText(xml), "build");
    refuseChanged(seen, pool);
    refuseConflict(pool, poolStore.list(instance));
    // As in libvirt, a pool of existing devices has nothing to build.
    if (!hasFolder(pool)) return { name, uuid };
    if (isFormatted) throw withoutDevice(name);
    makeTarget(instance, pool, held);
    return { name, uuid };
  });
}

/**
 * Makes a pool inactive; one without a definition is gone then. Its files stay, and guests keep their disks. Logs out of an iSCSI target,
 * unless a guest or the host uses a disk of it. Throws "not-found", "wrong-state", "in-use". storagePoolDestroy() of libvirt
 */
export async function destroyPool(instance: Instance, key: string): Promise<StoredIdentity> {
  const ended = await changeStored(instance, () => {
    const { active, name, uuid } = activePool(instance, key);
    const pool = unlessRefused(() => parsePoolText(active));
    if (pool !== undefined) refuseUsedSession(instance, pool);
    poolStore.removeActive(instance, name);
    return { active, name, uuid, pool };
  });
  const { active, name, pool, uuid } = ended;
  // No guest gets a volume of the pool any more.
  const failed = pool === undefined ? [] : errorsOf(() => logOut(instance, pool));
  if (failed.length > 0) {
    await changeStored(instance, () => poolStore.writeActive(instance, name, active));
    throwErrors(failed);
  }
  return { name, uuid };
}

/**
 * Checks the folder of an active pool again. A pool whose folder is gone, or may not be used any more, becomes inactive. Throws
 * "not-found", "wrong-state", "denied". storagePoolRefresh() of libvirt
 */
export async function refreshPool(instance: Instance, key: string): Promise<StoredIdentity> {
  const { active: seen = "" } = findPool(instance, key);
  lookAhead(instance, () => parsePoolText(seen));
  return await changeStored(instance, () => {
    const { active, defined, name, uuid } = activePool(instance, key);
    try {
      const pool = supportedPool(parsePoolText(active), "refresh");
      checkSource(instance, pool, defined !== undefined);
    } catch (error) {
      const failed = errorsOf(() => poolStore.removeActive(instance, name));
      throwErrors([...listErrors(error), ...failed]);
    }
    return { name, uuid };
  });
}

/** Checks that a pool can be active now, and makes its folder on request. The caller holds the registry's lock. */
function openPool(
  instance: Instance,
  { held, isBuilt, isFormatted, pool }: Required<StartOptions> & { readonly pool: Pool; readonly held: Held },
): void {
  const startable = supportedPool(pool, "start");
  if (isFormatted && hasFolder(pool)) throw withoutDevice(pool.name);
  refuseConflict(pool, poolStore.list(instance));
  const built = isBuilt ? supportedPool(pool, "build") : undefined;
  if (built !== undefined && hasFolder(built)) makeTarget(instance, built, held);
  checkSource(instance, startable, poolStore.read(instance, pool.name)?.defined !== undefined);
}

/** Checks the folder of a pool, or searches its source for devices. Throws "not-found", "denied", "unsupported". */
function checkSource({ host }: Instance, pool: TargetPool, isDefined: boolean): void {
  if (hasFolder(pool)) existingTarget(host, pool.target.path, { name: pool.name, isDefined });
  else listPoolDevices(host, pool);
}

/** Refuses a new file system in a folder. virStorageBackendMakeFileSystem() of libvirt */
function withoutDevice(name: string): SvirtError {
  return invalid(
    `No source device specified when formatting pool '${name}'`,
    "Leave --overwrite and --no-overwrite out: a pool of type dir has no device.",
  );
}
