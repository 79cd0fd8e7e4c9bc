import { SvirtError, throwErrors } from "../../errors.ts";
import { numbered } from "../../xml/numbered.ts";
import { prefixOf, reverseDomain } from "../address/subnet.ts";
import { type HostBridge, hostBridgeOf } from "../bridge/host-bridge.ts";
import { formatPacketRules, RULE_DEVICE } from "../bridge/packet-rules.ts";
import { type ForwardMode, hasOwnBridge, modeOf } from "../forms/mode-rules.ts";
import type { Network, Portgroup } from "../forms/network.ts";
import { listLongLines } from "../server/long-lines.ts";
import type { MacvtapMode, Pool } from "./pool.ts";

/** Part of a network with work for a start. */
interface Missing {
  /** Path below `/network/`. */
  readonly place: string;
  /** Operation missing from a start. */
  readonly missing: string;
  readonly remedy: string;
}

/** Bridge or devices between guests and an active network. */
type Link =
  /** `made` is the bridge that the network makes; absent: a bridge of the host. */
  | { readonly to: "bridge"; readonly name: string; readonly made?: HostBridge }
  | ({ readonly to: "device" } & Pool);

/** Network with a start in svirt, and its link. */
export interface StartableNetwork {
  readonly network: Network;
  readonly link: Link;
}

const DEVICES = "Write <interface dev='…'/> of each device into <forward>.";

const HOSTDEV: Missing = {
  place: "forward/@mode",
  missing: "choose PCI devices for guests",
  remedy: "Write <interface type='hostdev'> with the device's address into the domain.",
};

/**
 * Returns the network with its link if svirt can start it: it is a bridge of the host, a pool of devices for
 * macvtaps, or a bridge made by svirt. Throws "unsupported" for any other network, with all parts with work
 * for a start; `what` is attempted.
 */
export function startableNetwork(
  network: Network,
  what = `start the network '${network.name}'`,
): StartableNetwork {
  throwErrors(
    listMissing(network).map(({ missing, place, remedy }) => {
      const path = `/network/${place}`;
      return new SvirtError(`Cannot ${what}: ${path}: svirt does not ${missing} yet`, {
        kind: "unsupported",
        remedy,
        place: path,
      });
    }),
  );
  const mode = modeOf(network);
  const bridge = network.bridge?.name;
  const made = hasOwnBridge(network) ? hostBridgeOf(network) : undefined;
  if (made !== undefined) return { network, link: { to: "bridge", name: made.name, made } };
  if (bridge !== undefined) return { network, link: { to: "bridge", name: bridge } };
  const devices = network.forward?.interfaces.map(({ dev }) => dev) ?? [];
  if (hasMacvtaps(mode)) return { network, link: { to: "device", mode, devices } };
  throw new Error("a network of another mode is neither started nor refused");
}

function hasMacvtaps(mode: ForwardMode): mode is MacvtapMode {
  return mode === "bridge" || mode === "private" || mode === "vepa" || mode === "passthrough";
}

function listMissing(network: Network): readonly Missing[] {
  const { bridge, port, portgroups } = network;
  const mode = modeOf(network);
  if (mode === "hostdev") return [HOSTDEV, ...listOptions(network)];
  return [
    ...(hasMacvtaps(mode) ? [] : listOfOwnBridge(network)),
    ...(hasMacvtaps(mode) && bridge?.name === undefined ? listPool(network, mode) : []),
    ...partly(bridge?.macTableManager === "libvirt", {
      place: "bridge/@macTableManager",
      missing: "fill a bridge's table of addresses",
      remedy: "Leave macTableManager out of <bridge>.",
    }),
    ...partly(bridge?.name === undefined && port?.isolated === true, {
      place: "port",
      missing: "isolate interfaces that are not on a bridge",
      remedy: "Leave <port> out, or write <forward mode='private'>.",
    }),
    ...partly(isSwitched(network) && port?.isolated === true, {
      place: "port",
      missing: "isolate ports of Open vSwitch",
      remedy: "Leave <port> out, and set the port's protected: ovs-vsctl(8).",
    }),
    ...partly(network.bandwidth !== undefined && hasMacvtaps(mode), {
      place: "bandwidth",
      missing: "limit the traffic of a bridge that the network does not make",
      remedy: "Write <bandwidth> into a <portgroup>, or leave it out and run tc(8) on the bridge.",
    }),
    ...listTraffic(network, { within: "", isSwitched: isSwitched(network) }),
    ...portgroups.flatMap((group, at) =>
      listTraffic(group, {
        within: `${numbered("portgroup", portgroups, at)}/`,
        isSwitched: isSwitched(network, group),
      }),
    ),
    ...listOptions(network),
  ];
}

/** Lists settings of a bridge that svirt makes, and the services on it. */
function listOfOwnBridge(network: Network): readonly Missing[] {
  return [
    ...partly(hostBridgeOf(network) === undefined, {
      place: "bridge/@name",
      missing: "name a bridge when it is made",
      remedy: `Define the network again: svirt net-define`,
    }),
    ...partly(network.bridge?.zone !== undefined, {
      place: "bridge/@zone",
      missing: "choose zones of firewalld",
      remedy: "Leave zone out of <bridge>, and run firewall-cmd(1) with --add-interface.",
    }),
    ...partly(!RULE_DEVICE.test(network.bridge?.name ?? "any"), {
      place: "bridge/@name",
      missing: "make a bridge whose name has other characters than letters, digits, '_', '-' and '.'",
      remedy: "Write another name into <bridge name='…'/>.",
    }),
    ...partly(hasRules(network) && !RULE_DEVICE.test(network.forward?.interfaces[0]?.dev ?? "any"), {
      place: "forward/@dev",
      missing:
        "write rules for a device whose name has other characters than letters, digits, '_', '-' and '.'",
      remedy: "Rename the device, or leave dev out of <forward>.",
    }),
    ...listServices(network),
  ];
}

function hasRules(network: Network): boolean {
  return formatPacketRules(network, "") !== undefined;
}

/** Lists settings of the DHCP and DNS server that svirt does not apply. */
function listServices(network: Network): readonly Missing[] {
  const { domain, ips } = network;
  return [
    ...listLongLines(network).map((place) => ({
      place,
      missing: "give dnsmasq lines of more than 1,023 bytes",
      remedy: "Write a shorter text.",
    })),
    ...partly(domain?.register === true, {
      place: "domain/@register",
      missing: "register DNS servers with systemd-resolved",
      remedy: "Leave register out of <domain>, and run resolvectl(1) with the bridge.",
    }),
    ...ips.flatMap((ip, at) =>
      partly(ip.localPtr === true && reverseDomain(ip.address, prefixOf(ip) ?? 0) === undefined, {
        place: `${numbered("ip", ips, at)}/@localPtr`,
        missing: "name the addresses of a network with such a prefix",
        remedy: "Leave localPtr out of <ip>, or write a prefix of 8, 16 or 24 (IPv6: a multiple of 4).",
      }),
    ),
  ];
}

/** Lists the lack of devices for macvtaps. */
function listPool({ forward }: Network, mode: MacvtapMode): readonly Missing[] {
  if (forward?.pf !== undefined) {
    return [{ place: "forward/pf", missing: "look up the virtual functions of a device", remedy: DEVICES }];
  }
  if ((forward?.interfaces.length ?? 0) > 0) return [];
  return mode === "bridge"
    ? [
        {
          place: "bridge/@name",
          missing: "choose bridges and devices that the network does not name",
          remedy: "Write <bridge name='…'/> of a bridge of the host, or <interface dev='…'/> into <forward>.",
        },
      ]
    : [
        {
          place: "forward/interface",
          missing: "choose devices that the network does not name",
          remedy: DEVICES,
        },
      ];
}

type Traffic = Pick<Network, "trustGuestRxFilters" | "virtualport" | "vlan">;

/** Whether the interfaces of a network, or of a port group, are ports of Open vSwitch. */
function isSwitched(network: Network, group?: Portgroup): boolean {
  const type = group?.virtualport?.type ?? network.virtualport?.type;
  return modeOf(network) === "bridge" && network.bridge?.name !== undefined && type === "openvswitch";
}

/** Lists settings of a network or a port group for the interfaces of guests. */
function listTraffic(
  of: Traffic,
  { isSwitched: isOfSwitch, within }: { readonly within: string; readonly isSwitched: boolean },
): readonly Missing[] {
  const { trustGuestRxFilters, virtualport, vlan } = of;
  return [
    ...partly(trustGuestRxFilters === true, {
      place: `${within}@trustGuestRxFilters`,
      missing: "pass the guest's receive filters to the host's device",
      remedy: "Write trustGuestRxFilters='no'.",
    }),
    ...partly(vlan !== undefined && !isOfSwitch, {
      place: `${within}vlan`,
      missing: "set the VLAN of a network",
      remedy: "Leave <vlan> out, and write it into the <interface> of each domain.",
    }),
    ...partly(virtualport !== undefined && virtualport.type !== "openvswitch" && !isOfSwitch, {
      place: `${within}virtualport`,
      missing: "configure ports of 802.1Qbg, 802.1Qbh and MidoNet switches",
      remedy: "Leave <virtualport> out, and name a bridge or a device.",
    }),
    ...partly(virtualport?.type === "openvswitch" && !isOfSwitch, {
      place: `${within}virtualport`,
      missing: "connect guests to Open vSwitch by a network that does not name its bridge",
      remedy: "Write <forward mode='bridge'/> and <bridge name='…'/> of an Open vSwitch bridge.",
    }),
  ];
}

/**
 * Many options of dnsmasq name a program or a file: dhcp-script, conf-file, log-facility, addn-hosts.
 * dnsmasq(8)
 */
function listOptions({ dnsmasq }: Network): readonly Missing[] {
  return partly(dnsmasq !== undefined, {
    place: "dnsmasq:options",
    missing: "pass options to dnsmasq, which may name programs that run as root",
    remedy: "Leave <dnsmasq:options> out.",
  });
}

function partly(isAsked: boolean, missing: Missing): readonly Missing[] {
  return isAsked ? [missing] : [];
}
