import { unbound } from "../domain/devices/network/bound.ts";
import type { NetworkInterface } from "../domain/devices/network/interface.ts";
import type { Domain } from "../domain/domain.ts";
import { asSvirtError, errorsOf, SvirtError, throwErrors } from "../errors.ts";
import type { BridgeNetwork } from "../network/rules/startable.ts";
import type { Instance } from "../state/instance.ts";
import { readNetwork } from "../state/networks.ts";

/**
 * Replaces each interface on a network with one on the network's bridge, as libvirt shows it in a running guest's XML. Throws
 * "not-found" for an unknown network or port group, "wrong-state" for an inactive network.
 */
export function bindNetworks(instance: Instance, domain: Domain): Domain {
  const { devices } = domain;
  if (!devices.interfaces.some(({ type }) => type === "network")) return domain;
  const errors: SvirtError[] = [];
  const interfaces = devices.interfaces.map((found, at) => {
    let bound = found;
    const place = `/domain/devices/interface[${at + 1}]`;
    const bind = (): void => {
      bound = bindInterface(instance, found, place);
    };
    errors.push(...errorsOf(bind));
    return bound;
  });
  throwErrors(errors);
  return { ...domain, devices: { ...devices, interfaces } };
}

/** Replaces one interface on a network with one on its bridge; `place` is its path in the document. */
export function bindInterface(instance: Instance, found: NetworkInterface, place: string): NetworkInterface {
  const asked = unbound(found);
  if (asked.type !== "network") return found;
  const { network: name, portgroup } = asked.source;
  const { bridge, port, portgroups } = activeNetwork(instance, name, place);
  if (portgroup !== undefined && !portgroups.some((group) => group.name === portgroup)) {
    throw new SvirtError(
      `Cannot look up ${place}/source/@portgroup: network '${name}' has no port group '${portgroup}'`,
      {
        kind: "not-found",
        remedy: `Leave portgroup out of <source>, or name a port group of the network: svirt net-dumpxml ${name}`,
        place: `${place}/source/@portgroup`,
      },
    );
  }
  // networkAllocatePort() of libvirt: the interface's own setting precedes the network's.
  const isolated = asked.port?.isolated ?? port?.isolated;
  return {
    ...asked,
    ...(isolated === undefined ? {} : { port: { isolated } }),
    type: "bridge",
    source: { ...asked.source, portid: instance.host.makeUuid(), bridge: bridge.name },
  };
}

function activeNetwork(instance: Instance, name: string, place: string): BridgeNetwork {
  const at = `${place}/source/@network`;
  const found = readNetwork(instance, name);
  if (found === undefined) {
    throw new SvirtError(`Network not found: no network with matching name '${name}' (${at})`, {
      kind: "not-found",
      libvirt: "NO_NETWORK",
      place: at,
      remedy: "List the networks: svirt net-list --all; or write type='bridge' and <source bridge='…'/>.",
    });
  }
  if (found.active === undefined) {
    throw new SvirtError(`Requested operation is not valid: network '${name}' is not active (${at})`, {
      kind: "wrong-state",
      place: at,
      remedy: `Start it: svirt net-start ${name}`,
    });
  }
  return understood(found.active, at);
}

/** Reads the XML of an active network. The forms are loaded on demand: most starts need none. */
function understood(xml: string, place: string): BridgeNetwork {
  const { parseNetwork }: typeof import("../network/document.ts") = require("../network/document.ts");
  const {
    startableNetwork,
  }: typeof import("../network/rules/startable.ts") = require("../network/rules/startable.ts");
  try {
    return startableNetwork(parseNetwork(new TextEncoder().encode(xml)));
  } catch (error) {
    const { kind, message, remedy } = asSvirtError(error);
    throw new SvirtError(`${message} (${place})`, { kind, remedy, place, cause: error });
  }
}
