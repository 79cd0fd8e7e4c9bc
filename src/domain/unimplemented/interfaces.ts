import type { NetworkInterface } from "../devices/network/interface.ts";
import { type DeviceRule, forEach, type UnimplementedRule } from "./rule.ts";

// A start resolves a network to a bridge or a macvtap. Without a start, it is still a network.
const isBridge = ({ type }: NetworkInterface): boolean => type === "bridge" || type === "network";
/** Whether its virtual port belongs to Open vSwitch, or to a network with a type known at a start. */
const isSwitched = ({ type, virtualport }: NetworkInterface): boolean =>
  virtualport?.type === "openvswitch" || (type === "network" && virtualport?.type === undefined);

const RULES: readonly DeviceRule<NetworkInterface>[] = [
  {
    place: "@type",
    missing: "support interfaces other than bridges, taps, macvtaps, vhost-user and QEMU's user network",
    remedy: "Write type='bridge' and <source bridge='…'/>.",
    // A start resolves a network before this check.
    isAsked: ({ type }) => !["user", "bridge", "ethernet", "direct", "network", "vhostuser"].includes(type),
  },
  {
    place: "source/ip",
    missing: "assign addresses to the host's side of an interface",
    remedy: "Leave <ip> and <route> out of <source>, and give the tap its address with ip(8).",
    isAsked: (found) =>
      found.type === "ethernet" && (found.source?.ips.length ?? 0) + (found.source?.routes.length ?? 0) > 0,
  },
  {
    place: "virtualport",
    missing: "configure ports of 802.1Qbg, 802.1Qbh and MidoNet switches",
    remedy:
      "Leave <virtualport> out; or write type='bridge', <source bridge='…'/> of an Open vSwitch bridge and <virtualport type='openvswitch'/>.",
    isAsked: (found) => found.virtualport !== undefined && !(isBridge(found) && isSwitched(found)),
  },
  {
    place: "backend",
    missing: "start passt",
    remedy: "Leave <backend> out: an interface of type='user' then uses QEMU's user network.",
    isAsked: ({ backend }) => backend !== undefined,
  },
  {
    place: "bandwidth",
    missing: "limit the traffic of interfaces without a new tap",
    remedy: "Leave <bandwidth> out, and run tc(8) on the device.",
    isAsked: ({ bandwidth, target, type }) =>
      bandwidth !== undefined &&
      (type === "user" || type === "vhostuser" || type === "direct" || target?.managed === false),
  },
  {
    place: "bandwidth",
    missing: "limit the traffic of a port of Open vSwitch",
    remedy:
      "Leave <bandwidth> out of the interface and its port group, and set the port's qos and ingress_policing_rate: ovs-vsctl(8).",
    isAsked: ({ bandwidth, virtualport }) => bandwidth !== undefined && virtualport?.type === "openvswitch",
  },
  {
    place: "bandwidth/inbound/@floor",
    missing: "guarantee a share of the bandwidth of bridges that no network makes",
    remedy: "Write type='network' and a network of mode nat, route, open or none with <bandwidth>.",
    isAsked: ({ bandwidth, type }) => bandwidth?.inbound?.floor !== undefined && type !== "network",
  },
  {
    place: "vlan",
    missing: "set VLANs of interfaces that are not on a bridge",
    remedy: "Write type='bridge' and <source bridge='…'/>, or leave <vlan> out.",
    isAsked: (found) => found.vlan !== undefined && !isBridge(found),
  },
  {
    place: "port",
    missing: "isolate interfaces that are not on a bridge",
    remedy: "Write type='bridge' and <source bridge='…'/>, or leave <port> out.",
    isAsked: (found) => found.port?.isolated === true && !isBridge(found),
  },
  {
    place: "target",
    missing: "name a host device for an interface that has none",
    isAsked: ({ target, type }) => target !== undefined && (type === "user" || type === "vhostuser"),
  },
  {
    place: "target/@managed",
    missing: "put an existing tap on a bridge",
    remedy: "Write type='ethernet', and put the tap on the bridge with ip(8).",
    isAsked: (found) => found.target?.managed === false && isBridge(found),
  },
  {
    place: "coalesce",
    missing: "coalesce packets of interfaces without a new tap",
    isAsked: ({ coalesce, target, type }) =>
      coalesce !== undefined &&
      (type === "user" || type === "vhostuser" || type === "direct" || target?.managed === false),
  },
  {
    place: "mtu",
    missing: "set the MTU of a macvtap",
    why: "a macvtap has the MTU of its lower device",
    remedy: "Leave <mtu> out, and set the MTU of the device in <source dev='…'/> with ip(8).",
    isAsked: ({ mtu, type }) => mtu !== undefined && type === "direct",
  },
  {
    place: "target/@managed",
    missing: "use an existing macvtap",
    remedy: "Write managed='yes': svirt creates the macvtap.",
    isAsked: ({ target, type }) => target?.managed === false && type === "direct",
  },
  {
    place: "@trustGuestRxFilters",
    missing: "pass the guest's receive filters to the host's device",
    remedy: "Write trustGuestRxFilters='no'.",
    isAsked: ({ trustGuestRxFilters }) => trustGuestRxFilters === true,
  },
];

/** Rules for features of network interfaces not implemented by a start yet. */
export const INTERFACE_RULES: readonly UnimplementedRule[] = forEach(
  "interface",
  ({ devices }) => devices.interfaces,
  RULES,
);
