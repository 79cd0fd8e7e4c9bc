import type { XmlNode } from "../../xml/node.ts";
import { numbered } from "../../xml/numbered.ts";
import { bitsOf, familyOf } from "../address/ip-address.ts";
import { networkOf, prefixOf } from "../address/subnet.ts";
import type { Bridge } from "./bridge.ts";
import type { Forward } from "./forward.ts";
import type { NetworkIp, Route } from "./ip.ts";
import { refusePart } from "./refuse-part.ts";

/** How a network forwards its guests' traffic; `none` is isolated. */
export type ForwardMode = NonNullable<Forward["mode"]>;

interface Parts {
  readonly forward?: Forward;
  readonly bridge?: Bridge;
  readonly mtu?: object;
  readonly ips: readonly NetworkIp[];
  readonly routes: readonly Route[];
}

/** Modes with a bridge made by the network. */
const OWN_BRIDGE: readonly ForwardMode[] = ["none", "nat", "route", "open"];

/** Returns the mode of a network; a network without `<forward>` is isolated. */
export function modeOf({ forward }: { readonly forward?: Forward }): ForwardMode {
  return forward?.mode ?? "none";
}

/** Whether a network makes its bridge, with its addresses, its DHCP and DNS server. */
export function hasOwnBridge(network: { readonly forward?: Forward }): boolean {
  return OWN_BRIDGE.includes(modeOf(network));
}

/** Refuses parts that the network's mode does not have. virNetworkDefParseXML() of libvirt */
export function refuseOtherMode(network: Parts, node: XmlNode): void {
  refuseUnreachable(network, node);
  if (hasOwnBridge(network)) refuseUnforwarded(network, node);
  else refuseBridgeSettings(network, node);
}

/** Refuses forwarding without an address, and to several devices. */
function refuseUnforwarded(network: Parts, node: XmlNode): void {
  const mode = modeOf(network);
  const pool = network.forward?.interfaces ?? [];
  if (mode === "none") return;
  if (network.ips.length === 0) {
    refusePart(node, "ip", {
      why: `it is missing, and a network of mode ${mode} forwards its addresses`,
      remedy: "Write <ip> there, or leave <forward> out.",
    });
  }
  if (pool.length > 1) {
    refusePart(node, "forward/interface[2]", {
      why: `a network of mode ${mode} forwards to one device`,
      remedy: "Remove all but one <interface>.",
    });
  }
  if (mode === "open" && pool.length > 0) {
    refusePart(node, "forward/@dev", {
      why: "a network of mode open forwards to every device",
      remedy: "Leave dev out of <forward>.",
    });
  }
}

/** Refuses settings of a bridge not made by the network. */
function refuseBridgeSettings(network: Parts, node: XmlNode): void {
  const { bridge, forward, mtu } = network;
  const mode = modeOf(network);
  const why = `a network of mode ${mode} makes no bridge`;
  const { delay = 0, stp, zone } = bridge ?? {};
  const foreign = [
    [mode !== "bridge" && bridge?.name !== undefined, "bridge/@name"],
    [mode !== "bridge" && bridge?.macTableManager !== undefined, "bridge/@macTableManager"],
    [zone !== undefined, "bridge/@zone"],
    [stp !== undefined, "bridge/@stp"],
    [delay !== 0, "bridge/@delay"],
  ] as const;
  const [, place] = foreign.find(([isWritten]) => isWritten) ?? [];
  if (place !== undefined) {
    refusePart(node, place, { why, remedy: `Leave ${place.replace("bridge/@", "")} out of <bridge>.` });
  }
  if (mtu !== undefined) refusePart(node, "mtu", { why, remedy: "Leave <mtu> out of <network>." });
  const hasPool = (forward?.interfaces.length ?? 0) > 0 || forward?.pf !== undefined;
  if (bridge?.name === undefined || !hasPool) return;
  refusePart(node, "bridge/@name", {
    why: "a network has either a bridge or devices",
    remedy: "Leave <bridge> out, or the devices out of <forward>.",
  });
}

/** Refuses routes with a gateway in no network of the bridge. */
function refuseUnreachable({ ips, routes }: Parts, node: XmlNode): void {
  const prefixes = new Set(ips.map((ip) => prefixOf(ip) ?? 0));
  const networks = new Set(ips.map((ip) => subnetOf(ip.address, prefixOf(ip) ?? 0)));
  for (const [at, { gateway }] of routes.entries()) {
    const isReached = [...prefixes].some(
      (prefix) => prefix <= bitsOf(familyOf(gateway)) && networks.has(subnetOf(gateway, prefix)),
    );
    if (isReached) continue;
    refusePart(node, `${numbered("route", routes, at)}/@gateway`, {
      why: `${gateway} is in no network of an <ip>`,
      remedy: "Write a gateway that the bridge reaches.",
    });
  }
}

function subnetOf(address: string, prefix: number): string {
  return `${networkOf(address, prefix)}/${prefix}`;
}
