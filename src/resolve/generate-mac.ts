import type { Host } from "../host/host.ts";

// Rule: A generated MAC address begins with 52:54:00; the rest is random.

/** Prefix of virtual machines' addresses. libvirt virNetDevGenerateMacAddress, "kvm" */
const MAC_PREFIX = "52:54:00";

/** Generates an address for an interface without an address. */
export function makeMac(host: Host): string {
  // A random UUID begins with 48 random bits. RFC 9562, section 5.4
  const [, a, b, c] = /^(..)(..)(..)/.exec(host.makeUuid()) ?? [];
  return `${MAC_PREFIX}:${a}:${b}:${c}`;
}
