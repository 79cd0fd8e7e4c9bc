import { unlessRefused, unlessWorkRefused } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import { refuseUnmounted } from "../../resolve/pool-mount.ts";
import { devicesSpace } from "../../resolve/pools/pool-devices.ts";
import { silentServers } from "../../resolve/silent-server.ts";
import { getFileLabel } from "../../run/labels/get-file-label.ts";
import type { Instance } from "../../state/instance.ts";
import { poolStore } from "../../state/pools/pools.ts";
import type { StoredXml } from "../../state/xml-store.ts";
import { MODE_BITS } from "../../storage/mode-bits.ts";
import type { Permissions } from "../../storage/permissions.ts";
import { formatPool, type PoolSpace, parsePoolText } from "../../storage/pool/document.ts";
import { hasFolder } from "../../storage/pool/rules/startable.ts";
import type { Pool } from "../../storage/pool/stored-pool.ts";
import { type ShownXml, showStored } from "../stored/show-stored.ts";
import { findPool } from "./find-pool.ts";

/** State of a pool, as virsh names it. */
type PoolState = "inactive" | "running" | "inaccessible";

/** State of a pool, and its space while it runs. */
export interface PoolUsage {
  readonly state: PoolState;
  /** Undefined unless the pool is running. */
  readonly space: PoolSpace | undefined;
}

/** Facts about a pool, as virsh's pool-info has them. */
export interface PoolFacts extends PoolUsage {
  readonly name: string;
  readonly uuid: string;
  readonly persistent: boolean;
  readonly autostart: boolean;
}

/** Returns facts about a pool. Throws "not-found"; "xml" for a damaged file. */
export async function getPoolFacts(instance: Instance, key: string): Promise<PoolFacts> {
  const stored = findPool(instance, key);
  const { defined, name, uuid } = stored;
  return {
    name,
    uuid,
    ...(await getUsage(instance, stored)),
    persistent: defined !== undefined,
    autostart: defined !== undefined && poolStore.isAutostarted(instance, name),
  };
}

/**
 * Returns the state of a pool and its space now. A pool is inaccessible while its folder or its source is
 * missing, or its server does not answer.
 */
export async function getUsage(
  instance: Instance,
  { active }: Pick<StoredXml, "active">,
): Promise<PoolUsage> {
  if (active === undefined) return { state: "inactive", space: undefined };
  const space = await spaceOf(instance, parsePoolText(active));
  return { state: space === undefined ? "inaccessible" : "running", space };
}

/**
 * Returns the XML of a pool as it is active, with the space and the permissions of its folder now, or as it
 * is defined, or in the form that it has. Throws "not-found". virStorageBackendRefreshLocal() of libvirt
 */
export async function getPoolXml(
  instance: Instance,
  key: string,
  form: "active" | "defined",
): Promise<ShownXml> {
  return await showStored(findPool(instance, key), form, async (active) => {
    const pool = parsePoolText(active);
    const { permissions, space } = await lookAt(instance, pool);
    const target = pool.target && { ...pool.target, ...(permissions === undefined ? {} : { permissions }) };
    return formatPool({ ...pool, ...(target === undefined ? {} : { target }) }, space);
  });
}

/**
 * Returns the attributes of a pool's folder and its space, by a single look: a silent server costs each look
 * its whole time.
 */
async function lookAt(
  instance: Instance,
  pool: Pool,
): Promise<{ readonly permissions?: Permissions; readonly space?: PoolSpace | undefined }> {
  if (!hasFolder(pool)) return { space: await spaceOf(instance, pool) };
  const look = (facts: FileFacts) => ({
    permissions: unlessRefused(() => permissionsOf(instance, facts)),
    space: unlessRefused(() => spaceWith(instance, facts)),
  });
  const { permissions, space } = (await withFolder(instance, pool, look)) ?? {};
  return { ...(permissions === undefined ? {} : { permissions }), space };
}

/**
 * Returns the space of the file system with the pool's folder, or of its devices; undefined without the
 * folder or the source. statvfs(3)
 */
async function spaceOf(instance: Instance, pool: Pool): Promise<PoolSpace | undefined> {
  if (!hasFolder(pool)) return await unlessWorkRefused(async () => await devicesSpace(instance.host, pool));
  return await withFolder(instance, pool, (facts) => spaceWith(instance, facts));
}

function spaceWith({ host }: Instance, { id }: FileFacts): PoolSpace {
  const { freeBytes, sizeBytes } = host.getSpace(id);
  return { capacityBytes: sizeBytes, allocationBytes: sizeBytes - freeBytes, availableBytes: freeBytes };
}

/** Returns mode, owner, group and label of a folder. virStorageBackendUpdateVolTargetInfoFD() of libvirt */
function permissionsOf({ host }: Instance, { gid, id, mode, uid }: FileFacts): Permissions {
  const label = getFileLabel(host, id);
  return { mode: mode & MODE_BITS, owner: uid, group: gid, ...(label === undefined ? {} : { label }) };
}

/**
 * Returns the result of a look at the pool's folder; undefined if the folder is missing or another file, its
 * server is silent, or the look fails.
 */
async function withFolder<Result>(
  { host }: Instance,
  pool: Pool,
  look: (facts: FileFacts) => Result,
): Promise<Result | undefined> {
  const path = pool.target?.path ?? "";
  return await unlessWorkRefused(async () => {
    refuseUnmounted(host, pool);
    if ((await silentServers(host)(path)) !== undefined) return undefined;
    const facts = host.inspectFile(path);
    return facts?.type === "folder" && facts.id.path === path ? look(facts) : undefined;
  });
}
