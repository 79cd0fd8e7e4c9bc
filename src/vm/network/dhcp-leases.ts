import { macAddress } from "../../domain/forms/text.ts";
import { SvirtError } from "../../errors.ts";
import type { Lease } from "../../network/server/leases.ts";
import { listNetworkLeases } from "../../resolve/network-leases.ts";
import type { Instance } from "../../state/instance.ts";
import { findNetwork } from "./find-network.ts";

/**
 * Lists the leases of a network's DHCP server, as listNetworkLeases() does. Throws "not-found"; "usage" for a
 * malformed MAC address; "wrong-state".
 */
export function listDhcpLeases(instance: Instance, key: string, mac: string | undefined): readonly Lease[] {
  if (mac !== undefined && macAddress.decode(mac) === undefined) {
    throw new SvirtError(`invalid MAC address: ${mac}`, {
      kind: "usage",
      libvirt: "INVALID_MAC",
      remedy: "Write a MAC address: 52:54:00:12:34:56",
    });
  }
  return listNetworkLeases(instance, findNetwork(instance, key), mac);
}
