import { SvirtError } from "../../errors.ts";
import { familyOf } from "../../network/address/ip-address.ts";
import { refuseCollision } from "../../network/bridge/collision.ts";
import { type HostBridge, hostBridgeOf, isForwarded } from "../../network/bridge/host-bridge.ts";
import { outboundLimit } from "../../network/bridge/outbound-limit.ts";
import { formatPacketRules, formatRemoval } from "../../network/bridge/packet-rules.ts";
import { parseNetworkText } from "../../network/document.ts";
import { formatTapRules } from "../../network/filter/tap-rules.ts";
import { hasOwnBridge } from "../../network/forms/mode-rules.ts";
import type { Network } from "../../network/forms/network.ts";
import type { StartableNetwork } from "../../network/rules/startable.ts";
import { type Instance, isSession } from "../../state/instance.ts";
import { hasServer, startServer } from "../../state/networks/network-server.ts";
import {
  removeActiveNetwork,
  type StoredNetwork,
  writeActiveNetwork,
} from "../../state/networks/networks.ts";
import { type PendingBridge, withPendingBridge } from "../../state/networks/pending-bridge.ts";
import { refuseActiveTwin } from "./new-network.ts";

const IPV4_FORWARDING = "/proc/sys/net/ipv4/ip_forward";
const IPV6_FORWARDING = "/proc/sys/net/ipv6/conf/all/forwarding";

/**
 * Makes a network active with its XML, after its bridge if it makes one. Throws "in-use" for a bridge or an address that the host
 * or another active network has already, "unsupported" in a session, without nft or without dnsmasq, "failed" if that does not start, "wrong-state" if the host does not forward IPv6. The caller holds the registry's lock.
 */
export async function activateNetwork(
  instance: Instance,
  { link, network }: StartableNetwork,
  { uuid, xml }: { readonly uuid: string; readonly xml: string },
): Promise<void> {
  const { host } = instance;
  const { name } = network;
  const bridge = link.to === "bridge" ? link.made : undefined;
  if (bridge === undefined) {
    writeActiveNetwork(instance, name, xml);
    return;
  }
  refuseSession(instance, network);
  refuseActiveTwin(instance, { ...network, uuid });
  // One with the network's marks is left over, and so are its routes: its record was removed by hand.
  host.removeBridge(bridge);
  refuseBridge(instance, network, bridge);
  const isServed = hasServer(instance, network);
  const rules = formatPacketRules(network, uuid);
  const limit = outboundLimit(network, bridge, uuid);
  // Shows before any change that the host can have rules, and could remove them.
  if (rules !== undefined) await host.setPacketRules(formatRemoval(uuid));
  await withPendingBridge(instance, pendingOf(network, bridge, uuid), async () => {
    // The rules precede the bridge: no packet passes without them.
    if (rules !== undefined) await host.setPacketRules(rules);
    host.makeBridge(bridge);
    if (limit !== undefined) await host.setPacketRules(formatTapRules(limit));
    if (isForwarded(network)) forwardPackets(instance, bridge);
    if (isServed) await startServer(instance, { network, uuid });
    writeActiveNetwork(instance, name, xml);
  });
}

/** Makes an active network inactive, and removes the bridge that it has made. The caller holds the registry's lock. */
export async function deactivateNetwork(
  instance: Instance,
  { name, uuid }: Pick<StoredNetwork, "name" | "uuid">,
  xml: string,
): Promise<void> {
  const network = parseNetworkText(xml);
  const bridge = hasOwnBridge(network) ? hostBridgeOf(network) : undefined;
  const remove = (): void => removeActiveNetwork(instance, name);
  if (bridge === undefined) remove();
  else await withPendingBridge(instance, pendingOf({ ...network, name }, bridge, uuid), remove);
}

function pendingOf(network: Network, bridge: HostBridge, uuid: string): PendingBridge {
  const { mac, name } = bridge;
  const limit = outboundLimit(network, bridge, uuid);
  const hasRules = formatPacketRules(network, uuid) !== undefined;
  return {
    network: network.name,
    bridge: { name, mac },
    ...(hasRules ? { rulesOf: uuid } : {}),
    ...(network.ips.length > 0 ? { serverOf: uuid } : {}),
    ...(limit === undefined ? {} : { limit: limit.table }),
  };
}

function refuseSession(instance: Instance, { name }: Network): void {
  if (!isSession(instance)) return;
  throw new SvirtError(`Cannot start the network '${name}': creating bridges requires root`, {
    kind: "unsupported",
    remedy: "Start it as root; or write <interface type='user'> into the domain.",
  });
}

function refuseBridge(instance: Instance, network: Network, bridge: HostBridge): void {
  const attempt = `Cannot start the network '${network.name}'`;
  const { host } = instance;
  refuseCollision(bridge, host.readText("/proc/net/route") ?? "");
  if (!isForwarded(network) || !hasIpv6(bridge) || isOn(instance, IPV6_FORWARDING)) return;
  // Forwarding makes the kernel ignore router advertisements, by which the host may have its own default route.
  throw new SvirtError(`${attempt}: the host does not forward IPv6`, {
    kind: "wrong-state",
    from: "NETWORK",
    remedy:
      "Run: sysctl -w net.ipv6.conf.all.forwarding=1; before that set accept_ra=2 for devices with routes of router advertisements.",
  });
}

/** networkEnableIPForwarding() of libvirt; as there, it stays when the network ends. */
function forwardPackets(instance: Instance, { addresses }: HostBridge): void {
  const hasIpv4 = addresses.some(({ address }) => familyOf(address) === "ipv4");
  if (hasIpv4 && !isOn(instance, IPV4_FORWARDING)) instance.host.writeControl(IPV4_FORWARDING, "1");
}

function hasIpv6({ addresses }: HostBridge): boolean {
  return addresses.some(({ address }) => familyOf(address) === "ipv6");
}

function isOn({ host }: Instance, path: string): boolean {
  return host.readText(path)?.trim() === "1";
}
