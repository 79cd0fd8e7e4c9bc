import { isBridgeName } from "./bridge-name.ts";
import { hasOwnBridge } from "./forms/mode-rules.ts";
import type { Network } from "./forms/network.ts";
import { refuseUnusable } from "./rules/usable.ts";

/** Values for optional parts of a definition. */
export interface Spares {
  readonly uuid: string;
  /** MAC address of the bridge. */
  readonly mac: string;
  /** Unused name of a bridge, of bridge-name.ts. */
  readonly bridge: string;
}

/** Network with its UUID. If it makes its bridge, that has a name and a MAC address. */
export type CompletedNetwork = Network & { readonly uuid: string };

/**
 * Returns the network with the parts added by libvirt's define. Throws "unsupported" for a network libvirt
 * does not define. networkValidate() and virNetworkSetBridgeMacAddr() of libvirt
 */
export function completeNetwork(network: Network, spares: Spares): CompletedNetwork {
  refuseUnusable(network);
  const uuid = network.uuid ?? spares.uuid;
  if (!hasOwnBridge(network)) return { ...network, uuid };
  const { bridge, mac = { address: spares.mac } } = network;
  const name = isBridgeName(bridge?.name) ? bridge?.name : spares.bridge;
  return { ...network, uuid, bridge: { ...bridge, name: name ?? spares.bridge }, mac };
}
