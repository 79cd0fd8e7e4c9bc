import { SvirtError } from "../../errors.ts";
import { type Instance, isSession } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";
import { listNetworkEntries, setNetworkAutostart } from "../../state/networks.ts";
import { type Autostarted, startEach } from "../recover/start-each.ts";
import { type NetworkIdentity, transient } from "./define-network.ts";
import { findNetwork } from "./find-network.ts";
import { startNetwork } from "./start-network.ts";

/**
 * Marks a defined network to start at boot, or removes the mark. Throws "not-found", "unsupported" in a session, "wrong-state"
 * for a network without a definition. networkSetAutostart() of libvirt
 */
export async function markNetwork(
  instance: Instance,
  key: string,
  isMarked: boolean,
): Promise<NetworkIdentity> {
  if (isSession(instance)) {
    throw new SvirtError(
      "Cannot mark the network as autostarted: an ordinary user's networks are not started at boot",
      {
        kind: "unsupported",
        remedy: "Start it at your login, such as in ~/.profile: svirt net-start NETWORK",
      },
    );
  }
  return await withRegistryLock(instance, async () => {
    const { defined, name, uuid } = findNetwork(instance, key);
    if (defined === undefined) throw transient("cannot set autostart for transient network", name);
    setNetworkAutostart(instance, name, isMarked);
    return { name, uuid };
  });
}

/** Starts the marked networks that are inactive. Never throws for a single network. */
export async function startMarkedNetworks(instance: Instance): Promise<Autostarted> {
  const marked = listNetworkEntries(instance).filter(({ isAutostarted }) => isAutostarted);
  return await startEach(
    marked.map(({ name }) => name),
    async (name) => await startNetwork(instance, name),
  );
}
