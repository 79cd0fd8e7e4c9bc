import type { Instance } from "../../state/instance.ts";
import { POOL_TYPES } from "../../storage/pool/pool-types.ts";
import { discoveryRefusal } from "../../storage/pool/rules/discovery.ts";
import { poolBackendOf } from "./backends/table.ts";

/**
 * Returns the XML of the possible sources of a type's pools: the exports of an NFS server, or the volume
 * groups of this host. Throws "unsupported" for another type and without the program for the search; "denied"
 * for a restricted key and a server; "failed" for a silent server. storageConnectFindStoragePoolSources() of
 * libvirt
 */
export async function findSources(
  instance: Instance,
  word: string,
  spec: () => Uint8Array | undefined,
): Promise<string> {
  const type = POOL_TYPES.find((known) => known === word);
  const search = type === undefined ? "refused" : poolBackendOf(type).findSources;
  if (search === "refused") throw discoveryRefusal(word);
  return await search(instance, spec);
}
