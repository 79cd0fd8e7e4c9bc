/** Name of the display's socket in QEMU's monitor. */
export const DISPLAY_SOCKET = "svirt-vnc";

/** The first port of VNC: display 0. RFC 6143, 4; iana.org/assignments/service-names-port-numbers */
export const FIRST_VNC_PORT = 5900;

/** Returns an address as written before a port: an IPv6 address in brackets. RFC 3986, 3.2.2 */
export function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

/** Number of 16-bit groups of an IPv6 address. */
const IN6_GROUPS = 8;

/** Returns the bytes of an IPv4 or IPv6 address in any notation. */
export function addressBytes(address: string): Uint8Array {
  if (!address.includes(":")) return new Uint8Array(address.split(".").map(Number));
  return new Uint8Array(groupsOf(address).flatMap((group) => [group >> 8, group & 0xff]));
}

/** Returns the eight numbers of an IPv6 address, made uniform by URL. */
function groupsOf(address: string): number[] {
  const [front = "", back] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const read = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const [before, after] = [read(front), read(back ?? "")];
  return [...before, ...Array<number>(IN6_GROUPS - before.length - after.length).fill(0), ...after];
}
