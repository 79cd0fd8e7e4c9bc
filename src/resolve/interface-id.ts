import type { NetworkInterface } from "../domain/devices/network/interface.ts";
import type { Host } from "../host/host.ts";

/**
 * Returns the interface with an identifier of its port if it is one of Open vSwitch without one, which the switch's controller knows it
 * by. virNetDevVPortProfileParse() of libvirt
 */
export function withInterfaceId<Interface extends NetworkInterface>(host: Host, found: Interface): Interface {
  const { virtualport } = found;
  if (virtualport?.type !== "openvswitch" || virtualport.parameters?.interfaceid !== undefined) return found;
  const parameters = { ...virtualport.parameters, interfaceid: host.makeUuid() };
  return { ...found, virtualport: { ...virtualport, parameters } };
}
