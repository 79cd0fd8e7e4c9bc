import { errorsOf, errorsOfWork, listErrors, throwErrors, unlessRefused } from "../../errors.ts";
import { hasMount, refuseUnmounted } from "../../resolve/pool-mount.ts";
import { devicesSpace } from "../../resolve/pools/pool-devices.ts";
import { refuseSilent } from "../../resolve/silent-server.ts";
import type { Instance } from "../../state/instance.ts";
import { notePool } from "../../state/pools/pool-notes.ts";
import { poolStore } from "../../state/pools/pools.ts";
import { formatPool, parsePool, parsePoolText } from "../../storage/pool/document.ts";
import type { Pool } from "../../storage/pool/keep-pool.ts";
import { type Formatting, hasFolder, supportedPool } from "../../storage/pool/rules/startable.ts";
import { changeStored } from "../stored/change-stored.ts";
import type { StoredIdentity } from "../stored/mark-stored.ts";
import { withLockedDevices } from "./device/locked-devices.ts";
import { refuseBuildOver } from "./device/refuse-defined.ts";
import { endPool } from "./end-pool.ts";
import { activePool, findPool, inactivePool, invalid } from "./find-pool.ts";
import { withSession } from "./iscsi/session.ts";
import { makeGroup } from "./made/make-group.ts";
import { makeTable } from "./made/make-table.ts";
import { withActiveGroup } from "./made/volume-group.ts";
import { makeTarget } from "./make-target.ts";
import { makeFileSystem } from "./mounted/make-file-system.ts";
import { startMounted } from "./mounted/start-mounted.ts";
import { completeForHost, refuseConflictNow } from "./new-pool.ts";
import {
  checkSource,
  isInterrupted,
  openPool,
  type Startable,
  type StartOptions,
  startablePool,
  withoutDevice,
} from "./open-target.ts";
import { refuseKey } from "./refuse-key.ts";
import { lookAhead, refuseChanged, withTargetLock } from "./target-lock.ts";

/**
 * Makes a defined pool active, if its folder is there; mounts the source of a pool of type fs or netfs. Throws "not-found",
 * "denied"; "wrong-state" for an active pool; "unsupported" for one that is no folder; "in-use" for a folder of another pool.
 * storagePoolCreate() of libvirt
 */
export async function startPool(
  instance: Instance,
  key: string,
  options: StartOptions,
): Promise<StoredIdentity> {
  const { active, defined = active ?? "" } = findPool(instance, key);
  const seen = parsePoolText(defined);
  const choose = (): Startable => {
    const { defined: xml, name, uuid } = startablePool(instance, key);
    const pool = parsePoolText(xml);
    refuseChanged(seen, pool);
    return { pool, xml, name, uuid };
  };
  return await start(instance, { seen, options, choose });
}

/**
 * Makes a pool active without defining it. If a definition has its name and UUID, the pool has that again after its end. Throws
 * "xml", and the errors of a definition and a start. storagePoolCreateXML() of libvirt
 */
export async function createPool(
  instance: Instance,
  bytes: Uint8Array,
  options: StartOptions,
): Promise<StoredIdentity> {
  const seen = parsePool(bytes);
  const choose = (): Startable => {
    const pool = completeForHost(instance, seen);
    const { name, uuid } = pool;
    const active = poolStore.read(instance, name)?.active;
    if (active !== undefined && !isInterrupted(instance, active))
      throw invalid(
        `pool is already active as '${name}'`,
        `Make it inactive first: svirt pool-destroy ${name}`,
      );
    return { pool, xml: formatPool(pool), name, uuid };
  };
  return await start(instance, { seen, options, choose });
}

/** Start of the pool that `choose` returns under the lock; `seen` is how it looked before. */
interface Start {
  readonly seen: Pool;
  readonly options: StartOptions;
  choose(): Startable;
}

/** Folder of libvirt's packages in which virt-install starts a pool, without a build, for the kernel that it uploads. */
const BOOT_FOLDER = "/var/lib/libvirt/boot";

async function start(instance: Instance, { choose, options: given, seen }: Start): Promise<StoredIdentity> {
  const options = { ...given, isBuilt: given.isBuilt || needsBootFolder(instance, seen) };
  if (hasMount(seen)) return await startMounted(instance, { seen, options, choose });
  refuseKey(instance, seen);
  if (options.isBuilt && !hasFolder(seen)) await buildFirst(instance, { choose, options, seen });
  const withSource = seen.type === "logical" ? withActiveGroup : withSession;
  return await withSource(instance, seen, () =>
    withTargetLock(instance, { pool: seen, isBuilt: options.isBuilt }, (held) => {
      const { name, pool, uuid, xml } = choose();
      openPool(instance, pool, { ...options, held });
      poolStore.writeActive(instance, name, xml);
      return { name, uuid };
    }),
  );
}

function needsBootFolder({ host }: Instance, { target, type }: Pool): boolean {
  return type === "dir" && target?.path === BOOT_FOLDER && host.inspectFile(BOOT_FOLDER) === undefined;
}

/** Makes the storage of a pool that is no folder, once it is known that the pool may start. */
async function buildFirst(instance: Instance, { choose, options, seen }: Start): Promise<void> {
  refuseBuilt(instance, seen, options.formatting);
  await changeStored(instance, async () => {
    const pool = supportedPool(choose().pool, "build");
    refuseConflictNow(instance, pool, { overwrites: true });
    await makeHeldStorage(instance, pool, options.formatting);
  });
  await makeStorage(instance, seen, options.formatting);
}

/**
 * Makes the folder of an inactive pool, with the folders above it, and a file system on the device of a pool of type fs on
 * request. A folder that exists gets the permissions in the XML. Throws "not-found", "wrong-state", "unsupported", "denied";
 * "in-use" for a folder that a guest uses. storagePoolBuild() of libvirt
 */
export async function buildPool(
  instance: Instance,
  key: string,
  { formatting }: Pick<StartOptions, "formatting"> = {},
): Promise<StoredIdentity> {
  const { active, defined = active ?? "" } = findPool(instance, key);
  const seen = parsePoolText(defined);
  if (formatting !== undefined || !hasFolder(seen)) refuseKey(instance, seen);
  refuseBuilt(instance, seen, formatting);
  const built = await withTargetLock(instance, { pool: seen, isBuilt: true }, async (held) => {
    const { defined: xml, name, uuid } = inactivePool(instance, key, "already");
    const pool = supportedPool(parsePoolText(xml), "build");
    refuseChanged(seen, pool);
    refuseConflictNow(instance, pool, { overwrites: formatting !== undefined || !hasFolder(pool) });
    if (!hasFolder(pool)) {
      await makeHeldStorage(instance, pool, formatting);
      return { name, uuid };
    }
    if (formatting !== undefined && pool.type !== "fs") throw withoutDevice(name);
    makeTarget(instance, pool, held);
    return { name, uuid };
  });
  await makeStorage(instance, seen, formatting);
  await changeStored(instance, () => notePool(instance, built, "created"));
  return built;
}

/** Throws "in-use" if a build would overwrite a device that a definition names. The caller holds no lock. */
function refuseBuilt(instance: Instance, pool: Pool, formatting: Formatting | undefined): void {
  const { name, source, type } = pool;
  if (type === "logical" || type === "disk" || (type === "fs" && formatting !== undefined))
    refuseBuildOver(instance, name, { devices: source.devices, isWritten: true });
}

/** Makes the storage that takes no time, so that no guest or pool is started on the disk meanwhile. The caller holds the registry's lock. */
async function makeHeldStorage(
  instance: Instance,
  pool: Pool,
  formatting: Formatting | undefined,
): Promise<void> {
  if (pool.type === "disk") await makeTable(instance, pool, formatting ?? "no-overwrite");
}

/** Makes other storage of a pool on its devices. As in libvirt, a pool of existing devices has nothing to build. */
async function makeStorage(
  instance: Instance,
  pool: Pool,
  formatting: Formatting | undefined,
): Promise<void> {
  if (formatting !== undefined && pool.type === "fs") await makeFileSystem(instance, pool, formatting);
  if (pool.type === "logical")
    await withLockedDevices(
      instance,
      pool,
      async () => await makeGroup(instance, pool, formatting ?? "no-overwrite"),
    );
}

/**
 * Makes a pool inactive; one without a definition is gone then. Its files stay, and guests keep the disks that are files of a
 * folder; a file system that a guest uses stays mounted, and its pool active. Logs out of an iSCSI target, unless a guest or the
 * host uses a disk of it. Throws "not-found", "wrong-state", "in-use". storagePoolDestroy() of libvirt
 */
export async function destroyPool(instance: Instance, key: string): Promise<StoredIdentity> {
  return await endPool(instance, key);
}

/**
 * Checks the folder of an active pool again. A pool whose folder is gone, or may not be used any more, becomes inactive. Throws
 * "not-found", "wrong-state", "denied"; "timeout" for a server that does not answer. storagePoolRefresh() of libvirt
 */
export async function refreshPool(instance: Instance, key: string): Promise<StoredIdentity> {
  const { active: seen = "" } = findPool(instance, key);
  await refuseSilentTarget(instance, seen);
  lookAhead(instance, () => parsePoolText(seen));
  const absent = await errorsOfWork(async () => await lookForGroup(instance, seen));
  const { errors, ...identity } = await changeStored(instance, () => {
    const { active, defined, name, uuid } = activePool(instance, key);
    const found = errorsOf(() => {
      const pool = supportedPool(parsePoolText(active), "refresh");
      refuseUnmounted(instance.host, pool);
      checkSource(instance, pool, { isDefined: defined !== undefined });
    });
    return { name, uuid, errors: found };
  });
  const found = [...absent, ...errors];
  if (found.length === 0) {
    await changeStored(instance, () => notePool(instance, identity, "refreshed"));
    return identity;
  }
  const failed = await endPool(instance, identity.name).then(() => [], listErrors);
  throwErrors([...found, ...failed]);
  return identity;
}

/** Throws "timeout" if the server of a pool's folder does not answer: the pool stays active, since its server may come back. */
async function refuseSilentTarget({ host }: Instance, active: string): Promise<void> {
  const pool = unlessRefused(() => parsePoolText(active));
  if (pool?.target !== undefined && hasFolder(pool))
    await refuseSilent(host, pool.target.path, `refresh the storage pool '${pool.name}'`);
}

/** Asks LVM for the volume group of a pool, without a lock. Throws "failed" without it. */
async function lookForGroup({ host }: Instance, active: string): Promise<void> {
  const pool = unlessRefused(() => parsePoolText(active));
  if (pool?.type === "logical") await devicesSpace(host, pool);
}
