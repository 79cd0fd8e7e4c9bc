import type { InterfaceOf, NetworkInterface } from "./interface.ts";

/** Interface on a bridge made by its network. libvirt shows it as type network with the bridge. */
export type OnMadeBridge = InterfaceOf<"network"> & { readonly source: { readonly bridge: string } };

/** Interface of a running guest that is on a network: on its bridge, or a macvtap on a device of its pool. */
export type BoundInterface =
  | OnMadeBridge
  | (InterfaceOf<"bridge" | "direct"> & { readonly source: { readonly network: string } });

/**
 * Whether an interface has the bridge or the device of a network as its own. Definitions have the network
 * alone.
 */
export function isBound(found: NetworkInterface): found is BoundInterface {
  if (found.type === "network") return isOnMadeBridge(found);
  return (found.type === "bridge" || found.type === "direct") && found.source.network !== undefined;
}

/** Whether an interface is on a bridge made by its network. */
export function isOnMadeBridge(found: NetworkInterface): found is OnMadeBridge {
  return found.type === "network" && found.source.bridge !== undefined;
}

/**
 * Returns an interface as its definition has it: on its network instead of the network's bridge or device.
 * libvirt shows these in the XML of a running guest alone. virDomainNetDefFormat()
 */
export function unbound(found: NetworkInterface): NetworkInterface {
  if (found.type !== "network" && !isBound(found)) return found;
  const { network, portgroup } = found.source;
  return {
    ...found,
    type: "network",
    source: { network, ...(portgroup === undefined ? {} : { portgroup }) },
  };
}

/**
 * Returns an interface on a network with the bridge or device of `running`, if that is on the same network.
 */
export function boundAs(found: NetworkInterface, running: NetworkInterface): NetworkInterface {
  const plain = unbound(found);
  if (plain.type !== "network" || !isBound(running)) return found;
  const { network, portgroup } = running.source;
  if (plain.source.network !== network || plain.source.portgroup !== portgroup) return found;
  switch (running.type) {
    case "network":
      return { ...plain, source: running.source };
    case "bridge":
      return { ...plain, type: "bridge", source: running.source };
    case "direct":
      return { ...plain, type: "direct", source: running.source };
  }
}
