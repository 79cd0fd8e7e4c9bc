import { SvirtError } from "../errors.ts";
import { parseNetworkText } from "../network/document.ts";
import { type Lease, parseLeases } from "../network/server/leases.ts";
import type { Instance } from "../state/instance.ts";
import { hasServer, isServerRunning, readLeases } from "../state/networks/network-server.ts";
import type { StoredNetwork } from "../state/networks/networks.ts";

/**
 * Lists the leases of a network's DHCP server by their MAC addresses, of all or of a single address. As with
 * libvirt, an inactive network has none. Throws "wrong-state" if the server has ended. networkGetDHCPLeases()
 * of libvirt
 */
export function listNetworkLeases(
  instance: Instance,
  { active, name, uuid }: StoredNetwork,
  mac: string | undefined,
): readonly Lease[] {
  if (active === undefined) return [];
  const network = parseNetworkText(active);
  if (!hasServer(instance, network)) return [];
  if (!isServerRunning(instance, uuid)) {
    throw new SvirtError(`Cannot list the leases of network '${name}': its DHCP server has ended`, {
      kind: "wrong-state",
      from: "NETWORK",
      remedy: `Start it again: svirt net-start ${name}`,
    });
  }
  return parseLeases(readLeases(instance, uuid), network, instance.host.nowMs() / 1000)
    .filter((lease) => mac === undefined || lease.mac?.toLowerCase() === mac.toLowerCase())
    .toSorted((a, b) => ((a.mac ?? "") < (b.mac ?? "") ? -1 : 1));
}
