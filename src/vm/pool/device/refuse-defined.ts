import { SvirtError, unlessRefused } from "../../../errors.ts";
import { belongsToHost } from "../../../label/protected-paths.ts";
import { listNamedPaths, listNamedVolumes } from "../../../resolve/definition-names.ts";
import { listPoolDevices } from "../../../resolve/pools/pool-devices.ts";
import { isGenericNode, listRelated } from "../../../resolve/related-devices.ts";
import { listDefinitionNames, readDefinition } from "../../../state/definitions.ts";
import type { Instance } from "../../../state/instance.ts";
import { poolStore } from "../../../state/pools/pools.ts";
import { parsePoolText } from "../../../storage/pool/document.ts";
import { hasFolder } from "../../../storage/pool/rules/startable.ts";

/** Block devices to look for in definitions. `attempt` completes the message "Cannot ...". */
interface Attempt {
  readonly devices: readonly { readonly path: string }[];
  readonly attempt: string;
  /**
   * Whether they are overwritten: then a name of one outside of /dev counts, too, and the server of such a
   * path may hang.
   */
  readonly isWritten: boolean;
}

/**
 * Throws "in-use" if a definition names one of these block devices, a partition of it, its whole disk or its
 * generic node, by a path or as the volume of an active pool. For devices that are overwritten the caller
 * holds no lock.
 */
export function refuseDefined(instance: Instance, { attempt, devices, isWritten }: Attempt): void {
  const { host } = instance;
  const numbers = new Map<string, string>();
  for (const { path } of devices) {
    const id = numberAt(instance, path);
    if (id === undefined) continue;
    for (const node of [id, ...listRelated(host, { node: id }).map(({ number }) => number)])
      numbers.set(node, path);
  }
  for (const domain of listDefinitionNames(instance)) {
    const used = listPaths(instance, readDefinition(instance, domain)?.xml ?? "")
      .filter((path) => isWritten || path.startsWith("/dev/"))
      .map((path) => numberAt(instance, path) ?? "")
      .find((node) => numbers.has(node));
    if (used === undefined) continue;
    throw new SvirtError(`Cannot ${attempt}: the domain '${domain}' has the disk ${numbers.get(used)}`, {
      kind: "in-use",
      remedy: `Remove it from that domain: svirt edit ${domain}`,
    });
  }
}

/** Throws as refuseDefined() for the devices on which a pool would be built. `isWritten` as there. */
export function refuseBuildOver(
  instance: Instance,
  pool: string,
  { devices, isWritten }: Omit<Attempt, "attempt">,
): void {
  refuseDefined(instance, { devices, attempt: `build the storage pool '${pool}'`, isWritten });
}

/** Lists the paths that a definition names, and those of its volumes that are devices. */
function listPaths(instance: Instance, xml: string): readonly string[] {
  const volumes = listNamedVolumes(xml).flatMap(({ pool, volume }) =>
    devicesOf(instance, pool).filter((one) => one.name === volume),
  );
  return [...listNamedPaths(xml), ...volumes.map(({ path }) => path)];
}

/** Throws "failed" for an active pool with a damaged file. A pool whose source is gone has no devices. */
function devicesOf(instance: Instance, name: string): ReturnType<typeof listPoolDevices> {
  const active = poolStore.read(instance, name)?.active;
  const pool =
    active === undefined
      ? undefined
      : unlessRefused(
          () => parsePoolText(active),
          (cause) => {
            throw poolStore.damaged(instance, { name, form: "active" }, cause);
          },
        );
  if (pool === undefined || hasFolder(pool)) return [];
  return unlessRefused(() => listPoolDevices(instance.host, pool)) ?? [];
}

function numberAt({ host }: Instance, path: string): string | undefined {
  // svirt may not even inspect some files of the host.
  if (belongsToHost(path)) return undefined;
  const facts = unlessRefused(() => host.inspectFile(path));
  if (facts?.type !== "block" && !(facts?.type === "character" && isGenericNode(facts.id))) return undefined;
  return facts.id.node;
}
