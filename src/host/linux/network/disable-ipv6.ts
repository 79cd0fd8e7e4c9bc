import { existsSync } from "node:fs";
import { writeControl } from "../files/write-control.ts";

// Rule: The host has no IPv6 address on the tap of a guest.

/**
 * Keeps the host from having an IPv6 address on the host end of a guest's interface, and from reading router
 * advertisements there. Called before the interface is up. A kernel without IPv6 has no such settings.
 * Documentation/networking/ip-sysctl.rst of Linux
 */
export function disableIpv6(name: string): void {
  const folder = `/proc/sys/net/ipv6/conf/${name}`;
  if (!existsSync(folder)) return;
  writeControl(`${folder}/accept_ra`, "0");
  writeControl(`${folder}/disable_ipv6`, "1");
}
