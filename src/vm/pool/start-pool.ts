import { errorsOf, errorsOfWork, listErrors, throwErrors, unlessRefused } from "../../errors.ts";
import type { ObjectChange } from "../../plan/change/object-change.ts";
import { refuseUnmounted } from "../../resolve/pool-mount.ts";
import { refuseSilent } from "../../resolve/silent-server.ts";
import type { Instance } from "../../state/instance.ts";
import { notePool } from "../../state/pools/pool-notes.ts";
import { poolStore } from "../../state/pools/pools.ts";
import { formatPool, parsePool, parsePoolText } from "../../storage/pool/document.ts";
import { hasFolder, supportedPool } from "../../storage/pool/rules/startable.ts";
import type { Change } from "../object-change/change.ts";
import { forgetWork, poolWork, whileNoted } from "../object-change/noted-work.ts";
import { carryOutSlow, type SlowChange } from "../object-change/slow-change.ts";
import { changeStored } from "../stored/change-stored.ts";
import type { StoredIdentity } from "../stored/mark-stored.ts";
import { poolBackendOf } from "./backends/table.ts";
import { carryOutBuild, type PoolBuild, planBuild } from "./build-parts.ts";
import { endPool } from "./end-pool.ts";
import { activePool, findPool, invalid } from "./find-pool.ts";
import { removeOverPoolNotes } from "./left-work.ts";
import { completeForHost, refuseConflictNow } from "./new-pool.ts";
import {
  checkSource,
  isInterrupted,
  type PoolStart,
  type Startable,
  type StartOptions,
  startablePool,
} from "./open-target.ts";
import { refuseKey } from "./refuse-key.ts";
import { heldStart, startHeld } from "./start-held.ts";
import { lookAhead, refuseChanged } from "./target-lock.ts";

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
export function poolStart(instance: Instance, key: string, options: StartOptions): PlannedStart {
  return planned(instance, ofDefined(instance, key, options));
}

function ofDefined(instance: Instance, key: string, options: StartOptions): PoolStart {
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

/** Returns the steps of createPool(). Throws its errors. */
export function poolCreation(instance: Instance, bytes: Uint8Array, options: StartOptions): PlannedStart {
  return planned(instance, ofDocument(instance, bytes, options));
}

function ofDocument(instance: Instance, bytes: Uint8Array, options: StartOptions): PoolStart {
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

function planned(instance: Instance, given: PoolStart): PlannedStart {
  const start = buildDecided(instance, given);
  if (!isBuiltFirst(start)) return changeOf(start);
  return {
    async plan(planner) {
      const build = await planBuild(planner, buildOf(instance, start));
      const rest = await changeOf({ ...start, isPlannedAhead: true }).plan(planner);
      const steps = [...(build?.steps ?? []), ...(rest.change?.steps ?? [])];
      return { change: rest.change && { ...rest.change, steps, commit: "repeat" } };
    },
  };
}

/** Start whose steps are planned. */
interface PlannedStart {
  plan(instance: Instance): PlannedSteps | Promise<PlannedSteps>;
}

interface PlannedSteps {
  readonly change: ObjectChange | undefined;
}

async function start(instance: Instance, given: PoolStart): Promise<StoredIdentity> {
  removeOverPoolNotes(instance);
  const begun = buildDecided(instance, given);
  const started = isBuiltFirst(begun)
    ? await buildAndStart(instance, begun)
    : await startBuilt(instance, begun);
  // The pool works, so a killed build of it does not matter any more.
  forgetWork(instance, (work) => work.kind === "storage" && work.name === started.name);
  return started;
}

/** Makes the storage of a pool, then starts it. The note covers both, and a kill between them. */
async function buildAndStart(instance: Instance, begun: PoolStart): Promise<StoredIdentity> {
  const { command, seen } = begun;
  return await whileNoted(instance, poolWork(instance, seen, { command, kind: "storage" }), async (note) => {
    await carryOutBuild(instance, buildOf(instance, begun), note);
    return await startBuilt(instance, begun);
  });
}

async function startBuilt(instance: Instance, begun: PoolStart): Promise<StoredIdentity> {
  const { start: how } = poolBackendOf(begun.seen.type);
  if (typeof how === "function") return await carryOutSlow(instance, how(begun));
  return await startHeld(instance, begun, how.check);
}

/** Returns a start with the decision whether it builds the pool. Throws as refuseKey(). */
function buildDecided(instance: Instance, start: PoolStart): PoolStart {
  const { options, seen } = start;
  refuseKey(instance, seen);
  const { isBuiltByStart } = poolBackendOf(seen.type);
  const isBuilt = options.isBuilt || (isBuiltByStart !== "never" && isBuiltByStart(instance, seen));
  return { ...start, options: { ...options, isBuilt } };
}

/** Reports whether a start makes the storage of a pool other than a folder first. */
function isBuiltFirst({ options, seen }: PoolStart): boolean {
  return options.isBuilt && !hasFolder(seen);
}

/** Returns the build of a start, once the pool is known to be free for it. */
function buildOf(instance: Instance, { choose, command, options, seen }: PoolStart): PoolBuild {
  return {
    command,
    seen,
    formatting: options.formatting,
    choose() {
      const { name, pool, uuid } = choose();
      const supported = supportedPool(pool, "build");
      refuseConflictNow(instance, supported, { overwrites: true });
      return { pool: supported, name, uuid };
    },
  };
}

/** Returns the change of a start whose storage is there, or is planned to be. */
function changeOf(start: PoolStart): Change<StoredIdentity> | SlowChange<StoredIdentity> {
  const { start: how } = poolBackendOf(start.seen.type);
  return typeof how === "function" ? how(start) : heldStart(start, how.check);
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
