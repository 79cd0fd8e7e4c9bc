import { prefixOf } from "../address/subnet.ts";
import { shapeOf } from "../bandwidth.ts";
import type { Route } from "../forms/ip.ts";
import { type ForwardMode, modeOf } from "../forms/mode-rules.ts";
import type { Network } from "../forms/network.ts";
import type { Shape } from "../traffic-shape.ts";

/** Address of the host on a bridge. */
interface BridgeAddress {
  readonly address: string;
  readonly prefix: number;
}

/** Route by a gateway on the bridge. */
export interface BridgeRoute extends BridgeAddress {
  readonly gateway: string;
  readonly metric: number;
}

/** Bridge that svirt creates for a network. The address identifies it as the network's. */
export interface HostBridge {
  readonly name: string;
  readonly mac: string;
  readonly mtu?: number;
  /** Whether the spanning tree protocol runs. */
  readonly stp: boolean;
  /** Forward delay of the spanning tree protocol. */
  readonly delaySeconds: number;
  readonly addresses: readonly BridgeAddress[];
  readonly routes: readonly BridgeRoute[];
  /** Whether guests reach no address but the host's own. */
  readonly isIsolated: boolean;
  /** Limit of the frames from the host and beyond it to all guests together. */
  readonly inbound?: Shape;
}

/** Facts for the recognition of a network's bridge. */
export type BridgeMark = Pick<HostBridge, "name" | "mac">;

/** Default metric of a route. virNetDevIPRouteGetMetric() of libvirt */
const METRIC = 1;

/**
 * Returns the bridge made by a network. Undefined for a network without a bridge name or address, never so in
 * a definition of svirt. networkStartNetworkVirtual() of libvirt
 */
export function hostBridgeOf(network: Network): HostBridge | undefined {
  const { bandwidth, bridge, ips, mac, mtu, routes } = network;
  if (bridge?.name === undefined || mac === undefined) return undefined;
  const inbound = shapeOf(bandwidth?.inbound);
  return {
    name: bridge.name,
    mac: mac.address,
    ...(mtu === undefined ? {} : { mtu: mtu.size }),
    stp: bridge.stp ?? true,
    delaySeconds: bridge.delay ?? 0,
    addresses: ips.map((ip) => ({ address: ip.address, prefix: prefixOf(ip) ?? 0 })),
    routes: routes.map((route) => ({
      address: route.address,
      prefix: prefixOfRoute(route),
      gateway: route.gateway,
      metric: route.metric ?? METRIC,
    })),
    isIsolated: modeOf(network) === "none",
    ...(inbound === undefined ? {} : { inbound }),
  };
}

/** Modes in which the host forwards packets between the bridge and its other devices. */
const FORWARDING: readonly ForwardMode[] = ["nat", "route", "open"];

/** Whether the host forwards the packets of a network's guests. */
export function isForwarded(network: Network): boolean {
  return FORWARDING.includes(modeOf(network));
}

/**
 * Returns the prefix of a route's network; without a size it is the default route.
 * virNetDevIPRouteGetPrefix() of libvirt
 */
function prefixOfRoute(route: Route): number {
  return route.netmask === undefined ? (route.prefix ?? 0) : (prefixOf(route) ?? 0);
}
