import * as v from "valibot";
import { aNumber, aString } from "./plain-schemas.ts";

/** A port of the host's on which a guest's screen is to be had by VNC. */
export const display = v.strictObject({ address: aString, port: aNumber });
export type Display = v.InferOutput<typeof display>;

/** What QEMU's monitor calls the socket that it is handed for it. */
export const DISPLAY_SOCKET = "svirt-vnc";

/** The first port of VNC: display 0. RFC 6143, 4; iana.org/assignments/service-names-port-numbers */
export const FIRST_VNC_PORT = 5900;

/** As an address is written in front of a port: an IPv6 address in brackets. RFC 3986, 3.2.2 */
export function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}
