import { isBoundDisk, unboundDisk } from "./devices/disk/bound.ts";
import type { Domain } from "./domain.ts";
import { withNetworks } from "./with-networks.ts";

/** Returns a domain whose interfaces are on their networks, and whose disks are volumes of their pools. */
export function asDefined(domain: Domain): Domain {
  return withVolumes(withNetworks(domain));
}

/** Returns a domain whose disks are volumes of their pools. libvirt shows a running guest's disks so, too. */
export function withVolumes(domain: Domain): Domain {
  const { devices } = domain;
  if (!devices.disks.some(isBoundDisk)) return domain;
  return { ...domain, devices: { ...devices, disks: devices.disks.map(unboundDisk) } };
}
