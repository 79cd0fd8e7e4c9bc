import { familyOf, numberOf } from "./ip-address.ts";

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
