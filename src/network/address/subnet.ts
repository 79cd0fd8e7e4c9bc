import { bitsOf, type Family, familyOf, formatAddress, numberOf } from "./ip-address.ts";

/** Address with the size of its network, of which the netmask and the prefix are two notations. */
export interface Assigned {
  readonly address: string;
  readonly netmask?: string;
  readonly prefix?: number;
}

/**
 * Returns the prefix of an address; without a prefix, its class's. Returns undefined for an address without a
 * class or a netmask with gaps. virSocketAddrGetIPPrefix() of libvirt
 */
export function prefixOf({ address, netmask, prefix }: Assigned): number | undefined {
  if (prefix !== undefined) return prefix;
  if (netmask !== undefined) return prefixOfNetmask(netmask);
  if (numberOf(address) === 0n) return 0;
  if (familyOf(address) === "ipv6") return 64;
  const first = Number(numberOf(address) >> 24n);
  if (first < 0x80) return 8;
  if (first < 0xc0) return 16;
  return first < 0xe0 ? 24 : undefined;
}

/** Returns the netmask of an IPv4 prefix. */
export function netmaskOf(prefix: number): string {
  return formatAddress("ipv4", maskOf("ipv4", prefix));
}

/** Returns the address of the network of the address. */
export function networkOf(address: string, prefix: number): string {
  const family = familyOf(address);
  return formatAddress(family, numberOf(address) & maskOf(family, prefix));
}

/** Returns the broadcast address of the network that has the address. RFC 919, 7 */
export function broadcastOf(address: string, prefix: number): string {
  const hosts = (1n << BigInt(bitsOf("ipv4") - prefix)) - 1n;
  return formatAddress("ipv4", numberOf(address) | hosts);
}

/** Whether two addresses are of the same network. */
export function isInNetwork(address: string, other: string, prefix: number): boolean {
  return familyOf(address) === familyOf(other) && networkOf(address, prefix) === networkOf(other, prefix);
}

/**
 * Returns the domain of names for addresses of a network, `122.168.192.in-addr.arpa`. Returns undefined for a
 * prefix within a label of that domain, and for a single address. RFC 1035, 3.5; RFC 3596, 2.5;
 * virSocketAddrPTRDomain() of libvirt
 */
export function reverseDomain(address: string, prefix: number): string | undefined {
  const family = familyOf(address);
  const [size, digits, zone] = family === "ipv4" ? [8, 10, "in-addr.arpa"] : [4, 16, "ip6.arpa"];
  if (prefix === 0 || prefix >= bitsOf(family) || prefix % size !== 0) return undefined;
  const value = numberOf(address);
  const labels = Array.from({ length: prefix / size }, (_, at) => {
    const shift = BigInt(bitsOf(family) - (at + 1) * size);
    return Number((value >> shift) & BigInt(2 ** size - 1)).toString(digits);
  });
  return [...labels.reverse(), zone].join(".");
}

function prefixOfNetmask(netmask: string): number | undefined {
  const value = numberOf(netmask);
  const prefix = Array.from({ length: bitsOf("ipv4") + 1 }, (_, bits) => bits);
  return prefix.find((bits) => maskOf("ipv4", bits) === value);
}

function maskOf(family: Family, prefix: number): bigint {
  const bits = BigInt(bitsOf(family));
  return ((1n << BigInt(prefix)) - 1n) << (bits - BigInt(prefix));
}
