import { macAddress } from "../../domain/forms/text.ts";
import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { findNetwork } from "./find-network.ts";

/**
 * Lists the leases of a network's DHCP server: none, since only networks without a server start. As with libvirt, an inactive
 * network has none either. Throws "not-found"; "usage" for a malformed MAC address. networkGetDHCPLeases() of libvirt
 */
export function listDhcpLeases(instance: Instance, key: string, mac: string | undefined): readonly [] {
  if (mac !== undefined && macAddress.decode(mac) === undefined) {
    throw new SvirtError(`invalid MAC address: ${mac}`, {
      kind: "usage",
      libvirt: "INVALID_MAC",
      remedy: "Write a MAC address: 52:54:00:12:34:56",
    });
  }
  findNetwork(instance, key);
  return [];
}
