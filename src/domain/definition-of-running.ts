import { isBoundDisk, unboundDisk } from "./devices/disk/bound.ts";
import type { Domain } from "./domain.ts";
import { unbindInterfaces } from "./unbound-interfaces.ts";

type Graphics = Domain["devices"]["graphics"][number];

/**
 * Returns a running guest's domain as a definition has it: interfaces are on their networks, disks are
 * volumes of their pools, and a start chooses the ports of its screens. VIR_DOMAIN_XML_INACTIVE of libvirt
 */
export function asDefined(domain: Domain): Domain {
  return replaceChosenPorts(unbindDisks(unbindInterfaces(domain)));
}

/** Returns a domain without the ports that a start has chosen. virDomainGraphicsDefFormat() of libvirt */
function replaceChosenPorts(domain: Domain): Domain {
  const graphics = domain.devices.graphics.map(replaceChosenPort);
  return { ...domain, devices: { ...domain.devices, graphics } };
}

function replaceChosenPort(graphics: Graphics): Graphics {
  const isChosen = graphics.type === "vnc" && graphics.autoport === true && graphics.port !== undefined;
  return isChosen ? { ...graphics, port: -1 } : graphics;
}

/** Returns a domain whose disks are volumes of their pools. libvirt shows a running guest's disks so, too. */
export function unbindDisks(domain: Domain): Domain {
  const { devices } = domain;
  if (!devices.disks.some(isBoundDisk)) return domain;
  return { ...domain, devices: { ...devices, disks: devices.disks.map(unboundDisk) } };
}
