import { isBound, unbound } from "./devices/network/bound.ts";
import type { Domain } from "./domain.ts";

/** Returns a domain with its interfaces on their networks. */
export function unbindInterfaces(domain: Domain): Domain {
  const { devices } = domain;
  if (!devices.interfaces.some(isBound)) return domain;
  return { ...domain, devices: { ...devices, interfaces: devices.interfaces.map(unbound) } };
}
