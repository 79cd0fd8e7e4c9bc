import type { NetworkInterface } from "../domain/devices/network/interface.ts";
import type { Host } from "../host/host.ts";

/** Parameters of a virtual port with random defaults. */
const IDENTIFIERS = ["instanceid", "interfaceid"] as const;

/**
 * Returns the interface with an identifier of its port. A port of Open vSwitch without an interfaceid gets
 * it: the switch's controller knows the port by it. The port of an interface on a network may have no type:
 * it gets the identifiers of each type, since the network decides. virNetDevVPortProfileParse() of libvirt
 */
export function addInterfaceId<Interface extends NetworkInterface>(host: Host, found: Interface): Interface {
  const { type, virtualport } = found;
  if (virtualport === undefined) return found;
  const isOpen = type === "network" && virtualport.type === undefined;
  const missing = IDENTIFIERS.filter((name) => virtualport.parameters?.[name] === undefined).filter(
    (name) => isOpen || (name === "interfaceid" && virtualport.type === "openvswitch"),
  );
  if (missing.length === 0) return found;
  const made = Object.fromEntries(missing.map((name) => [name, host.makeUuid()]));
  return { ...found, virtualport: { ...virtualport, parameters: { ...virtualport.parameters, ...made } } };
}
