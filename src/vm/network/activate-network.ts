import { SvirtError } from "../../errors.ts";
import { familyOf } from "../../network/address/ip-address.ts";
import { refuseCollision } from "../../network/bridge/collision.ts";
import { type HostBridge, hostBridgeOf, isForwarded } from "../../network/bridge/host-bridge.ts";
import { outboundLimit } from "../../network/bridge/outbound-limit.ts";
import { formatPacketRules } from "../../network/bridge/packet-rules.ts";
import { parseNetworkText } from "../../network/document.ts";
import { hasOwnBridge } from "../../network/forms/mode-rules.ts";
import type { Network } from "../../network/forms/network.ts";
import type { StartableNetwork } from "../../network/rules/startable.ts";
import { NETWORK_DEVICES } from "../../plan/paths.ts";
import type { Step } from "../../plan/steps/step.ts";
import { type Instance, isSession } from "../../state/instance.ts";
import { endServerStep, hasServer, serverStep } from "../../state/networks/network-server.ts";
import { networkStore, type StoredNetwork } from "../../state/networks/networks.ts";
import { refuseActiveTwin } from "./new-network.ts";

const IPV4_FORWARDING = "/proc/sys/net/ipv4/ip_forward";
const IPV6_FORWARDING = "/proc/sys/net/ipv6/conf/all/forwarding";

/**
 * Returns the steps that make a network active with its XML, after its bridge if it makes one. Throws
 * "in-use" for an address that the host has already, or a bridge that another active network has,
 * "unsupported" in a session, without nft or without dnsmasq, "wrong-state" if the host does not forward
 * IPv6. The last step is the commit point. The caller holds the registry's lock.
 */
export async function planActivation(
  instance: Instance,
  { link, network }: StartableNetwork,
  { uuid, xml }: { readonly uuid: string; readonly xml: string },
): Promise<readonly Step[]> {
  const { host } = instance;
  const active = networkStore.activeStep(instance, network.name, xml);
  const bridge = link.to === "bridge" ? link.made : undefined;
  if (bridge === undefined) return [active];
  refuseSession(instance, network);
  refuseActiveTwin(instance, { ...network, uuid });
  refuseBridge(instance, network, bridge);
  const script = formatPacketRules(network, uuid);
  const limit = outboundLimit(network, bridge, uuid);
  // Shows that the host can have rules, and could remove them.
  if (script !== undefined) await host.listPacketRules();
  const { mac, name } = bridge;
  const isTaken = host.inspectFile(`${NETWORK_DEVICES}/${name}`) !== undefined;
  return [
    // A bridge with the network's marks is left over: its record was removed by hand.
    ...(isTaken ? [{ do: "remove-bridge", name, mac } as const] : []),
    // The rules precede the bridge: no packet passes without them.
    ...(script === undefined ? [] : [{ do: "set-network-rules", uuid, script } as const]),
    {
      do: "make-bridge",
      bridge: { ...bridge, addresses: [...bridge.addresses], routes: [...bridge.routes] },
    },
    ...(limit === undefined ? [] : [{ do: "set-tap-rules", rules: limit } as const]),
    ...(isForwarded(network) ? forwardSteps(instance, bridge) : []),
    ...(hasServer(instance, network) ? [serverStep(instance, { network, uuid })] : []),
    active,
  ];
}

/**
 * Returns the steps that make an active network inactive, and then remove the bridge that it has made. The
 * first one is the commit point. The caller holds the registry's lock.
 */
export function planDeactivation(
  instance: Instance,
  { name, uuid }: Pick<StoredNetwork, "name" | "uuid">,
  xml: string,
): readonly Step[] {
  const network = parseNetworkText(xml);
  const bridge = hasOwnBridge(network) ? hostBridgeOf(network) : undefined;
  const inactive = networkStore.activeStep(instance, name, undefined);
  if (bridge === undefined) return [inactive];
  const limit = outboundLimit(network, bridge, uuid);
  const hasRules = formatPacketRules(network, uuid) !== undefined;
  return [
    inactive,
    ...(network.ips.length > 0 ? [endServerStep(instance, { name, uuid })] : []),
    { do: "remove-bridge", name: bridge.name, mac: bridge.mac },
    ...(limit === undefined ? [] : [{ do: "remove-tap-rules", table: limit.table } as const]),
    ...(hasRules ? [{ do: "remove-network-rules", uuid } as const] : []),
  ];
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
  // A device with the bridge's name is left over and ends first, or keeps the bridge from being made.
  const isOwn = host.inspectFile(`${NETWORK_DEVICES}/${bridge.name}`) !== undefined;
  const routes = (host.readText("/proc/net/route") ?? "").split("\n");
  const others = isOwn ? routes.filter((line) => !line.startsWith(`${bridge.name}\t`)) : routes;
  refuseCollision(bridge, others.join("\n"));
  if (!isForwarded(network) || !hasIpv6(bridge) || isOn(instance, IPV6_FORWARDING)) return;
  // Forwarding makes the kernel ignore router advertisements, by which the host may have its own default
  // route.
  throw new SvirtError(`${attempt}: the host does not forward IPv6`, {
    kind: "wrong-state",
    from: "NETWORK",
    remedy:
      "Run: sysctl -w net.ipv6.conf.all.forwarding=1; before that set accept_ra=2 for devices with routes of router advertisements.",
  });
}

/**
 * As with libvirt, the host still forwards packets when the network ends. networkEnableIPForwarding() of
 * libvirt
 */
function forwardSteps(instance: Instance, { addresses }: HostBridge): readonly Step[] {
  const hasIpv4 = addresses.some(({ address }) => familyOf(address) === "ipv4");
  if (!hasIpv4 || isOn(instance, IPV4_FORWARDING)) return [];
  return [{ do: "forward-packets", path: IPV4_FORWARDING, bootId: instance.host.getBootId() }];
}

function hasIpv6({ addresses }: HostBridge): boolean {
  return addresses.some(({ address }) => familyOf(address) === "ipv6");
}

function isOn({ host }: Instance, path: string): boolean {
  return host.readText(path)?.trim() === "1";
}
