import type { Disk } from "../../domain/devices/disk/disk.ts";
import type { Domain } from "../../domain/domain.ts";
import type { Resource } from "../../domain/resources/resource.ts";
import { listResources } from "../../domain/resources/resources.ts";
import { listPoolFolders } from "../../resolve/pool-folders.ts";
import { hasServers, silentServer, silentServers } from "../../resolve/silent-server.ts";
import type { Instance } from "../../state/instance.ts";

/**
 * Refusals of a start with files on a silent server: inspecting a file would wait for hours. Each throws
 * "timeout".
 */
interface SilentRefusals {
  /** Refuses a domain with a volume of a pool there, before it is bound to its file. */
  refusePools(domain: Domain): Promise<void>;
  /** Refuses a domain with a file there. Its volumes are bound. */
  refuseFiles(domain: Domain): Promise<void>;
}

/** Returns the refusals; undefined without a mounted server. Each server is asked once. */
export function silentRefusals(instance: Instance): SilentRefusals | undefined {
  if (!hasServers(instance.host)) return undefined;
  const findSilent = silentServers(instance.host);
  const refuse = async (path: string): Promise<void> => {
    const mount = await findSilent(path);
    if (mount !== undefined) throw silentServer(mount, `use ${path}`);
  };
  return {
    async refusePools(domain) {
      for (const path of listPoolPaths(instance, domain.devices.disks)) await refuse(path);
    },
    async refuseFiles(domain) {
      for (const path of pathsOf(listResources(domain))) await refuse(path);
    },
  };
}

/** Lists the paths of resources that have one. */
export function pathsOf(resources: readonly Resource[]): readonly string[] {
  return resources.flatMap((resource) => ("path" in resource ? [resource.path] : []));
}

/** Lists the folders of the active pools that hold volumes of these disks. */
export function listPoolPaths(instance: Instance, disks: readonly Disk[]): readonly string[] {
  const named = new Set(disks.flatMap((disk) => (disk.type === "volume" ? [disk.source.pool] : [])));
  if (named.size === 0) return [];
  return listPoolFolders(instance).flatMap(({ name, path }) => (named.has(name) ? [path] : []));
}
