/** Name of the display's socket in QEMU's monitor. */
export const DISPLAY_SOCKET = "svirt-vnc";

/** The first port of VNC: display 0. RFC 6143, 4; iana.org/assignments/service-names-port-numbers */
export const FIRST_VNC_PORT = 5900;

/** Returns an address as written before a port: an IPv6 address in brackets. RFC 3986, 3.2.2 */
export function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}
