import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { networkStore, type StoredNetwork } from "../../state/networks/networks.ts";
import { findStored } from "../stored/find-stored.ts";

/** Returns the network with that UUID or name, in virsh's order. Throws "not-found" with virsh's message. */
export function findNetwork(instance: Instance, key: string): StoredNetwork {
  const found = findStored(networkStore, instance, key);
  if (found !== undefined) return found;
  throw new SvirtError(`failed to get network '${key}'`, {
    kind: "not-found",
    libvirt: "NO_NETWORK",
    remedy: "svirt net-list --all lists the networks.",
  });
}

/**
 * Returns the network with that name or UUID, and not by the other. Throws "not-found" with libvirt's
 * message. networkLookupByName() and networkLookupByUUID() of libvirt
 */
export function lookUpNetwork(instance: Instance, by: "name" | "uuid", key: string): StoredNetwork {
  const found = findStored(networkStore, instance, key);
  return found?.[by] === key ? found : throwUnknown(`${by} '${key}'`);
}

/**
 * Returns the network found by a client before: only its UUID counts. Throws as lookUpNetwork() does, with
 * the client's name for it. networkObjFromNetwork() of libvirt
 */
export function lookUpKnownNetwork(
  instance: Instance,
  { name, uuid }: { readonly name: string; readonly uuid: string },
): StoredNetwork {
  const found = findStored(networkStore, instance, uuid);
  return found?.uuid === uuid ? found : throwUnknown(`uuid '${uuid}' (${name})`);
}

function throwUnknown(wanted: string): never {
  throw new SvirtError(`Network not found: no network with matching ${wanted}`, {
    kind: "not-found",
    libvirt: "NO_NETWORK",
    remedy: "svirt net-list --all lists the networks.",
  });
}
