import type { NetworkInterface } from "../domain/devices/network/interface.ts";
import type { Domain } from "../domain/domain.ts";
import type { BridgeNetwork } from "../domain/other-documents/bridge-network.ts";
import { asSvirtError, errorsOf, SvirtError, throwErrors } from "../errors.ts";
import type { Instance } from "../state/instance.ts";

/**
 * Replaces each interface on a network with one on the network's bridge. The administrator names the bridge in libvirt's
 * XML format: `/etc/svirt/networks/NAME.xml`. Throws "not-found" without that file, "xml" if it is not a bridge,
 * "unsupported" for a port group.
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
  if (found.type !== "network") return found;
  const { network, portgroup } = found.source;
  if (portgroup !== undefined) {
    throw new SvirtError(
      `Cannot look up ${place}/source/@portgroup: svirt's networks are bridges without port groups`,
      {
        kind: "unsupported",
        remedy: "Leave portgroup out of <source>, and write its <vlan> into the interface.",
        place: `${place}/source/@portgroup`,
      },
    );
  }
  return { ...found, type: "bridge", source: { bridge: readNetwork(instance, network, place).bridge.name } };
}

function readNetwork({ host, paths }: Instance, name: string, place: string): BridgeNetwork {
  const path = `${paths.config}/networks/${name}.xml`;
  // A name with a slash would lead to another folder.
  const text = name.includes("/") ? undefined : host.readText(path);
  if (text === undefined) {
    throw new SvirtError(
      `Network not found: no network with matching name '${name}' (${place}/source/@network)`,
      {
        kind: "not-found",
        libvirt: "NO_NETWORK",
        place: `${place}/source/@network`,
        remedy: `Write type='bridge' and <source bridge='…'/>, or write its bridge into ${path}: <network><name>${name}</name><forward mode='bridge'/><bridge name='…'/></network>`,
      },
    );
  }
  const network = understood(path, text);
  if (network.name === name) return network;
  throw new SvirtError(`Cannot read ${path}: that file defines the network '${network.name}'`, {
    kind: "xml",
    remedy: "Rename the file to the network's name.",
  });
}

function understood(path: string, text: string): BridgeNetwork {
  try {
    const {
      parseBridgeNetwork,
    }: typeof import("../domain/other-documents/bridge-network.ts") = require("../domain/other-documents/bridge-network.ts");
    return parseBridgeNetwork(text);
  } catch (error) {
    const { kind, message, remedy } = asSvirtError(error);
    throw new SvirtError(`${message} (${path})`, {
      kind,
      remedy,
      cause: error,
    });
  }
}
