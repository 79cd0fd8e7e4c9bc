import type { FileFacts } from "../../host/files.ts";
import { belongsToHost } from "../../label/protected-paths.ts";
import { isUnmounted, refuseUnmounted } from "../../resolve/pool-mount.ts";
import type { Instance } from "../../state/instance.ts";
import { poolStore } from "../../state/pools.ts";
import { parsePoolText } from "../../storage/pool/document.ts";
import { supportedPool } from "../../storage/pool/rules/startable.ts";
import { activePool } from "../pool/find-pool.ts";
import { existingTarget } from "../pool/find-target.ts";

/** Active pool whose volumes are the files of a folder. */
export interface VolumePool {
  readonly name: string;
  readonly uuid: string;
  readonly folder: FileFacts;
}

/** Lists the active pools whose folder exists, in libvirt's order. */
export function listVolumePools(instance: Instance): readonly VolumePool[] {
  return poolStore.list(instance).flatMap(({ active, name, uuid }) => {
    const pool = active === undefined ? undefined : parsePoolText(active);
    const path = pool?.target?.path;
    // svirt may not even inspect some folders of the host, and no pool has one.
    if (pool === undefined || path === undefined || belongsToHost(path) || isUnmounted(instance.host, pool))
      return [];
    const folder = instance.host.inspectFile(path);
    return folder?.type === "folder" && folder.id.path === path ? [{ name, uuid, folder }] : [];
  });
}

/**
 * Returns the active pool with that UUID or name. Throws "not-found", also without its folder; "wrong-state" for an inactive
 * one; "denied" for a folder where guests may not write.
 */
export function findVolumePool(instance: Instance, key: string): VolumePool {
  const { active, defined, name, uuid } = activePool(instance, key);
  const pool = supportedPool(parsePoolText(active), "refresh");
  refuseUnmounted(instance.host, pool);
  const isDefined = defined !== undefined;
  return { name, uuid, folder: existingTarget(instance.host, pool.target.path, { name, isDefined }) };
}
