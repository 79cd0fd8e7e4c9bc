import { type AddressRange, problemOfRange } from "./address-range.ts";
import { familyOf } from "./ip-address.ts";
import { type Assigned, broadcastOf, isInNetwork, networkOf, prefixOf } from "./subnet.ts";

// Rule: A range of DHCP lies within its network, without network and broadcast address.

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
