import type { BoundInterface } from "../../domain/devices/network/bound.ts";
import { uuidOf } from "../../domain/forms/uuid.ts";
import { SvirtError } from "../../errors.ts";
import { formatPort, type Networkport } from "../../network/port.ts";
import { listPorts, type NetworkPort } from "../../resolve/network-ports.ts";
import type { Instance } from "../../state/instance.ts";
import type { StoredNetwork } from "../../state/networks/networks.ts";
import { findNetwork } from "./find-network.ts";

/**
 * Lists the UUIDs of guests' interfaces on an active network. Throws "not-found", "wrong-state".
 * networkListAllPorts() of libvirt
 */
export function listPortUuids(instance: Instance, key: string): readonly string[] {
  return portsOf(instance, key).map(uuidOfPort);
}

/** XML of a guest's interface on a network. */
export interface PortXml {
  readonly uuid: string;
  readonly xml: string;
}

/** Returns the XML of a guest's interface on an active network. Throws "not-found" with virsh's message. */
export function getPortXml(instance: Instance, key: string, port: string): PortXml {
  const uuid = uuidOf(port);
  // An inactive network has no ports, and libvirt looks for a port all the same.
  const { active, name } = findNetwork(instance, key);
  const ports = active === undefined ? [] : listPorts(instance, name);
  const found = ports.find((one) => uuidOfPort(one) === uuid);
  if (uuid !== undefined && found !== undefined) return { uuid, xml: formatPort(toPort(uuid, found)) };
  throw new SvirtError(`failed to get network port '${port}'`, {
    kind: "not-found",
    libvirt: "NO_NETWORK_PORT",
    remedy: `List the network's ports: svirt net-port-list ${key}`,
  });
}

function portsOf(instance: Instance, key: string): readonly NetworkPort[] {
  return listPorts(instance, findActive(instance, key).name);
}

/** Returns the network if it is active. Throws "not-found", "wrong-state". */
function findActive(instance: Instance, key: string): StoredNetwork {
  const found = findNetwork(instance, key);
  if (found.active !== undefined) return found;
  throw new SvirtError(`Requested operation is not valid: network '${found.name}' is not active`, {
    kind: "wrong-state",
    from: "NETWORK",
    remedy: `Start it: svirt net-start ${found.name}`,
  });
}

function uuidOfPort({ found }: NetworkPort): string {
  return found.source.portid ?? "";
}

/** virDomainNetDefToNetworkPort() of libvirt */
function toPort(uuid: string, { found, owner }: NetworkPort): Networkport {
  const { bandwidth, mac, port, source, virtualport, vlan } = found;
  return {
    uuid,
    owner,
    ...(source.portgroup === undefined ? {} : { group: source.portgroup }),
    mac: { address: mac?.address ?? "" },
    ...(bandwidth === undefined ? {} : { bandwidth }),
    ...(virtualport === undefined ? {} : { virtualport }),
    ...(vlan === undefined ? {} : { vlan }),
    ...(port === undefined ? {} : { port }),
    plug: plugOf(found),
  };
}

function plugOf(found: BoundInterface): Networkport["plug"] {
  if (found.type !== "direct") return { type: found.type, bridge: found.source.bridge };
  const { dev, mode = "vepa" } = found.source;
  return { type: "direct", dev, mode };
}
