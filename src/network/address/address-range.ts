import { familyOf, numberOf } from "./ip-address.ts";
import { type Assigned, broadcastOf, isInNetwork, networkOf, prefixOf } from "./subnet.ts";

/** Addresses from the first to the last, both included. */
export interface AddressRange {
  readonly start: string;
  readonly end: string;
}

/** Maximum number of addresses in a range. virSocketAddrGetRange() of libvirt */
const MOST = 65536n;

/** Returns the number of addresses. */
export function sizeOf({ start, end }: AddressRange): number {
  return Number(numberOf(end) - numberOf(start) + 1n);
}

/** Returns the reason why the addresses are no range, or undefined. virSocketAddrGetRange() of libvirt */
export function problemOfRange({ start, end }: AddressRange): string | undefined {
  if (familyOf(start) !== familyOf(end)) return `${start} and ${end} are of two families`;
  if (numberOf(start) > numberOf(end)) return `${end} precedes ${start}`;
  // libvirt requires equal addresses but for the last two bytes.
  if (numberOf(start) / MOST !== numberOf(end) / MOST)
    return `${start} to ${end} differ in more than the last 16 bits`;
  return undefined;
}

/** Returns the reason why a network cannot give these addresses to guests, or undefined. */
export function problemInNetwork(range: AddressRange, ip: Assigned): string | undefined {
  const prefix = prefixOf(ip);
  if (prefix === undefined) return `${ip.address} has neither a prefix nor a class`;
  const { start, end } = range;
  const outside = [start, end].find((address) => !isInNetwork(address, ip.address, prefix));
  if (outside !== undefined) return `${outside} is not in the network of ${ip.address}, prefix ${prefix}`;
  if (familyOf(start) === "ipv4") {
    if (start === networkOf(start, prefix)) return `${start} is the address of the network itself`;
    if (end === broadcastOf(end, prefix)) return `${end} is the broadcast address of the network`;
  }
  return problemOfRange(range);
}
