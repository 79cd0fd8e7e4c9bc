import { uuidOf } from "../../domain/forms/uuid.ts";
import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { listNetworks, readNetwork, type StoredNetwork } from "../../state/networks.ts";

/** Returns the network with that UUID or name, in virsh's order. Throws "not-found" with virsh's message. */
export function findNetwork(instance: Instance, key: string): StoredNetwork {
  const found = networkByUuid(instance, uuidOf(key)) ?? readNetwork(instance, key);
  if (found !== undefined) return found;
  throw new SvirtError(`failed to get network '${key}'`, {
    kind: "not-found",
    libvirt: "NO_NETWORK",
    remedy: "svirt net-list --all lists the networks.",
  });
}

/** Returns the network of a UUID, under any name. */
function networkByUuid(instance: Instance, uuid: string | undefined): StoredNetwork | undefined {
  if (uuid === undefined) return undefined;
  return listNetworks(instance).find((network) => network.uuid === uuid);
}
