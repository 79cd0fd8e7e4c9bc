import { canonicalAddress, familyOf } from "../address/ip-address.ts";
import { isInNetwork, prefixOf } from "../address/subnet.ts";
import type { Network } from "../forms/network.ts";

/** Address given to a guest by a network's server. */
export interface Lease {
  /** In seconds since 1970; 0: never. */
  readonly expiresAt: number;
  /** Undefined for IPv6: guests identify themselves by a DUID. */
  readonly mac: string | undefined;
  readonly protocol: "ipv4" | "ipv6";
  readonly address: string;
  readonly prefix: number;
  readonly hostname: string | undefined;
  readonly clientId: string | undefined;
}

/**
 * Parses dnsmasq's file of leases, without expired leases: time, address of the hardware (of IPv6 the number
 * of the association), IP address, name, id. "*" stands for none. The server is not trusted: lines with other
 * texts are omitted. lease_update_file() of dnsmasq
 */
export function parseLeases(text: string, network: Network, nowSeconds: number): readonly Lease[] {
  return text.split("\n").flatMap((line) => {
    const [time = "", hardware = "", address = "", hostname, clientId, ...more] = line.split(" ");
    if (!/^\d{1,11}$/.test(time) || clientId === undefined || more.length > 0) return [];
    const expiresAt = Number(time);
    if (expiresAt !== 0 && expiresAt <= nowSeconds) return [];
    if (canonicalAddress(address) === undefined) return [];
    const protocol = familyOf(address);
    return [
      {
        expiresAt,
        mac: protocol === "ipv4" ? hardware.replace(/^[0-9a-f]{2}-/, "") : undefined,
        protocol,
        address,
        prefix: prefixAt(network, address),
        hostname: known(hostname),
        clientId: known(clientId),
      },
    ];
  });
}

function known(field: string | undefined): string | undefined {
  return field === "*" ? undefined : field;
}

function prefixAt({ ips }: Network, address: string): number {
  const ip = ips.find((one) => isInNetwork(address, one.address, prefixOf(one) ?? 0));
  return ip === undefined ? 0 : (prefixOf(ip) ?? 0);
}
