import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { networkStore, type StoredNetwork } from "../../state/networks.ts";
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

/** Returns the network with that name or UUID, and not by the other. Throws "not-found" with libvirt's message. */
export function lookUpNetwork(instance: Instance, by: "name" | "uuid", key: string): StoredNetwork {
  const found = findStored(networkStore, instance, key);
  if (found?.[by] === key) return found;
  // networkLookupByName() and networkLookupByUUID() of libvirt
  throw new SvirtError(`Network not found: no network with matching ${by} '${key}'`, {
    kind: "not-found",
    libvirt: "NO_NETWORK",
    remedy: "svirt net-list --all lists the networks.",
  });
}
