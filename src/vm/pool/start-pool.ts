import { errorsOf, errorsOfWork, listErrors, throwErrors, unlessRefused } from "../../errors.ts";
import { refuseUnmounted } from "../../resolve/pool-mount.ts";
import { refuseSilent } from "../../resolve/silent-server.ts";
import type { Instance } from "../../state/instance.ts";
import { notePool } from "../../state/pools/pool-notes.ts";
import { poolStore } from "../../state/pools/pools.ts";
import { formatPool, parsePool, parsePoolText } from "../../storage/pool/document.ts";
import { hasFolder, hasFormattedDevice, supportedPool } from "../../storage/pool/rules/startable.ts";
import type { Change } from "../object-change/change.ts";
import { changeStored } from "../stored/change-stored.ts";
import type { StoredIdentity } from "../stored/mark-stored.ts";
import { poolBackendOf } from "./backends/table.ts";
import { beginBuild, buildOf, finishBuild, refuseBuilt } from "./build-works.ts";
import { endPool } from "./end-pool.ts";
import { activePool, findPool, inactivePool, invalid } from "./find-pool.ts";
import { completeForHost, refuseConflictNow } from "./new-pool.ts";
import {
  checkSource,
  isInterrupted,
  type PoolStart,
  type Startable,
  type StartOptions,
  startablePool,
  withoutDevice,
} from "./open-target.ts";
import { poolWithoutPlan } from "./pool-without-plan.ts";
import { refuseKey } from "./refuse-key.ts";
import { heldStart, startHeld } from "./start-held.ts";
import { lookAhead, refuseChanged, withTargetLock } from "./target-lock.ts";

/**
 * Makes a defined pool active, if its folder is there; mounts the source of a pool of type fs or netfs.
 * Throws "not-found", "denied"; "wrong-state" for an active pool; "unsupported" without a folder; "in-use"
 * for a folder of another pool. storagePoolCreate() of libvirt
 */
export async function startPool(
  instance: Instance,
  key: string,
  options: StartOptions,
): Promise<StoredIdentity> {
  return await start(instance, ofDefined(instance, key, options));
}

/** Returns the change of startPool(). Throws "unsupported" for a build, and a source that is brought up. */
export function poolStart(instance: Instance, key: string, options: StartOptions): Change<StoredIdentity> {
  return planned(instance, ofDefined(instance, key, options));
}

function ofDefined(instance: Instance, key: string, options: StartOptions): Start {
  const { active, defined = active ?? "" } = findPool(instance, key);
  const seen = parsePoolText(defined);
  const choose = (): Startable => {
    const { defined: xml, name, uuid } = startablePool(instance, key);
    const pool = parsePoolText(xml);
    refuseChanged(seen, pool);
    return { pool, xml, name, uuid };
  };
  return { command: "pool-start", seen, options, choose };
}

/**
 * Makes a pool active without defining it. If a definition has its name and UUID, the pool has that again
 * after its end. Throws "xml", and the errors of a definition and a start. storagePoolCreateXML() of libvirt
 */
export async function createPool(
  instance: Instance,
  bytes: Uint8Array,
  options: StartOptions,
): Promise<StoredIdentity> {
  return await start(instance, ofDocument(instance, bytes, options));
}

/** Returns the change of createPool(). Throws as poolStart(). */
export function poolCreation(
  instance: Instance,
  bytes: Uint8Array,
  options: StartOptions,
): Change<StoredIdentity> {
  return planned(instance, ofDocument(instance, bytes, options));
}

function ofDocument(instance: Instance, bytes: Uint8Array, options: StartOptions): Start {
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
  return { command: "pool-create", seen, options, choose };
}

/** A start, without the end that undoes it. */
type Start = Omit<PoolStart, "end">;

function planned(instance: Instance, start: Start): Change<StoredIdentity> {
  refuseKey(instance, start.seen);
  const { start: how } = poolBackendOf(start.seen.type);
  if (typeof how === "function" || start.options.isBuilt) throw poolWithoutPlan(start.seen);
  return heldStart(start, how.check);
}

async function start(instance: Instance, begun: Start): Promise<StoredIdentity> {
  const { choose, options: given, seen } = begun;
  const backend = poolBackendOf(seen.type);
  const isBuilt =
    given.isBuilt || (backend.isBuiltByStart !== "never" && backend.isBuiltByStart(instance, seen));
  const options = { ...given, isBuilt };
  refuseKey(instance, seen);
  if (options.isBuilt && !hasFolder(seen)) await buildFirst(instance, { choose, options, seen });
  const end = async (name: string): Promise<StoredIdentity> => await endPool(instance, name);
  const whole = { ...begun, options, end };
  if (typeof backend.start === "function") return await backend.start(instance, whole);
  return await startHeld(instance, whole, backend.start.check);
}

/** Makes the storage of a pool other than a folder, once the pool is known to be free for a start. */
async function buildFirst(
  instance: Instance,
  { choose, options, seen }: Pick<Start, "choose" | "options" | "seen">,
): Promise<void> {
  const build = buildOf(seen, options.formatting);
  refuseBuilt(instance, seen, build);
  const begun = await changeStored(instance, async () => {
    const pool = supportedPool(choose().pool, "build");
    refuseConflictNow(instance, pool, { overwrites: true });
    return await beginBuild(instance, build, { pool, held: new Map() });
  });
  await finishBuild(instance, build, begun);
}

/**
 * Makes the storage of an inactive pool: its folder, with the folders above it, or on its devices. On request
 * a device of a pool of type fs gets a file system. A folder that exists gets the permissions in the XML.
 * Throws "not-found", "wrong-state", "unsupported", "denied"; "in-use" for a folder that a guest uses.
 * storagePoolBuild() of libvirt
 */
export async function buildPool(
  instance: Instance,
  key: string,
  { formatting }: Pick<StartOptions, "formatting"> = {},
): Promise<StoredIdentity> {
  const { active, defined = active ?? "" } = findPool(instance, key);
  const seen = parsePoolText(defined);
  if (formatting !== undefined || !hasFolder(seen)) refuseKey(instance, seen);
  const build = buildOf(seen, formatting);
  refuseBuilt(instance, seen, build);
  const { begun, ...built } = await withTargetLock(instance, { pool: seen, isBuilt: true }, async (held) => {
    const { defined: xml, name, uuid } = inactivePool(instance, key, "already");
    const pool = supportedPool(parsePoolText(xml), "build");
    refuseChanged(seen, pool);
    refuseConflictNow(instance, pool, { overwrites: formatting !== undefined || !hasFolder(pool) });
    if (formatting !== undefined && hasFolder(pool) && !hasFormattedDevice(pool)) throw withoutDevice(name);
    return { name, uuid, begun: await beginBuild(instance, build, { pool, held }) };
  });
  await finishBuild(instance, build, begun);
  await changeStored(instance, () => notePool(instance, built, "created"));
  return built;
}

/**
 * Makes a pool inactive; a pool without a definition is gone then. Its files stay, and guests keep disks in
 * files of a folder; a file system in use by a guest stays mounted, and its pool active. Logs out of an iSCSI
 * target, unless a guest or the host uses a disk of it. Throws "not-found", "wrong-state", "in-use".
 * storagePoolDestroy() of libvirt
 */
export async function destroyPool(instance: Instance, key: string): Promise<StoredIdentity> {
  return await endPool(instance, key);
}

/**
 * Checks the folder of an active pool again. A pool with a missing or no longer permitted folder becomes
 * inactive. Throws "not-found", "wrong-state", "denied"; "timeout" for a silent server. storagePoolRefresh()
 * of libvirt
 */
export async function refreshPool(instance: Instance, key: string): Promise<StoredIdentity> {
  const { active: seen = "" } = findPool(instance, key);
  await refuseSilentTarget(instance, seen);
  lookAhead(instance, () => parsePoolText(seen));
  const absent = await errorsOfWork(async () => await lookAgain(instance, seen));
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

/**
 * Throws "timeout" if the server of a pool's folder does not answer: the pool stays active, since its server
 * may come back.
 */
async function refuseSilentTarget({ host }: Instance, active: string): Promise<void> {
  const pool = unlessRefused(() => parsePoolText(active));
  if (pool?.target !== undefined && hasFolder(pool))
    await refuseSilent(host, pool.target.path, `refresh the storage pool '${pool.name}'`);
}

/** Does the looks of a refresh that wait for programs, without a lock. Throws their errors. */
async function lookAgain(instance: Instance, active: string): Promise<void> {
  const pool = unlessRefused(() => parsePoolText(active));
  if (pool !== undefined) for (const look of poolBackendOf(pool.type).refresh) await look(instance, pool);
}
