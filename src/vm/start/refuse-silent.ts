import type { Domain } from "../../domain/domain.ts";
import { listResources } from "../../domain/resources/resources.ts";
import { listPoolFolders } from "../../resolve/pool-folders.ts";
import { hasServers, silentServer, silentServers } from "../../resolve/silent-server.ts";
import type { Instance } from "../../state/instance.ts";

/** Refusals of a start whose files are on a server that does not answer: inspecting one would wait for hours. Each throws "timeout". */
interface SilentRefusals {
  /** Refuses a domain with a volume of a pool there, before it is bound to its file. */
  refusePools(domain: Domain): void;
  /** Refuses a domain with a file there. Its volumes are bound. */
  refuseFiles(domain: Domain): void;
}

/** Returns the refusals; undefined without a mounted server. Each server is asked once. */
export function silentRefusals(instance: Instance): SilentRefusals | undefined {
  if (!hasServers(instance.host)) return undefined;
  const findSilent = silentServers(instance.host);
  const refuse = (path: string): void => {
    const mount = findSilent(path);
    if (mount !== undefined) throw silentServer(mount, `use ${path}`);
  };
  return {
    refusePools(domain) {
      for (const path of poolsOf(instance, domain)) refuse(path);
    },
    refuseFiles(domain) {
      for (const resource of listResources(domain)) if ("path" in resource) refuse(resource.path);
    },
  };
}

function poolsOf(instance: Instance, { devices: { disks } }: Domain): readonly string[] {
  const named = new Set(disks.flatMap((disk) => (disk.type === "volume" ? [disk.source.pool] : [])));
  if (named.size === 0) return [];
  return listPoolFolders(instance).flatMap(({ name, path }) => (named.has(name) ? [path] : []));
}
