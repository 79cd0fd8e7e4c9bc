import { macAddress } from "../../domain/forms/text.ts";
import { SvirtError } from "../../errors.ts";
import { parseNetworkText } from "../../network/document.ts";
import { type Lease, parseLeases } from "../../network/server/leases.ts";
import type { Instance } from "../../state/instance.ts";
import { hasServer, isServerRunning, readLeases } from "../../state/network-server.ts";
import { findNetwork } from "./find-network.ts";

/**
 * Lists the leases of a network's DHCP server by their MAC addresses. As with libvirt, an inactive network has none. Throws
 * "not-found"; "usage" for a malformed MAC address; "wrong-state" if the server has ended. networkGetDHCPLeases() of libvirt
 */
export function listDhcpLeases(instance: Instance, key: string, mac: string | undefined): readonly Lease[] {
  if (mac !== undefined && macAddress.decode(mac) === undefined) {
    throw new SvirtError(`invalid MAC address: ${mac}`, {
      kind: "usage",
      libvirt: "INVALID_MAC",
      remedy: "Write a MAC address: 52:54:00:12:34:56",
    });
  }
  const { active, name, uuid } = findNetwork(instance, key);
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
