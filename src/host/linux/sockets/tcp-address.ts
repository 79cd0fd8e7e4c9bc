import type { Display } from "../../../plan/facts/display.ts";
import { addressBytes } from "../../../plan/facts/display-address.ts";

/** bits/socket.h */
const AF_INET = 2;
const AF_INET6 = 10;
/**
 * Sizes of struct sockaddr_in and struct sockaddr_in6, and the place of the address in each. ip(7), ipv6(7)
 */
const IN = { family: AF_INET, bytes: 16, at: 4 } as const;
const IN6 = { family: AF_INET6, bytes: 28, at: 8 } as const;

/** Returns the family of an address, and its struct sockaddr. */
export function socketAddress({ address, port }: Display): {
  readonly family: number;
  readonly name: Uint8Array;
} {
  const { at, bytes, family } = address.includes(":") ? IN6 : IN;
  const name = new Uint8Array(bytes);
  const view = new DataView(name.buffer);
  view.setUint16(0, family, true);
  view.setUint16(2, port);
  name.set(addressBytes(address), at);
  return { family, name };
}
