import type { NetworkInterface } from "../devices/network/interface.ts";
import { type DeviceRule, forEach, type UnimplementedRule } from "./rule.ts";

const isBridge = ({ type }: NetworkInterface): boolean => type === "bridge";

const RULES: readonly DeviceRule<NetworkInterface>[] = [
  {
    place: "@type",
    missing:
      "connect guests to anything but bridges, taps, macvtaps, vhost-user programs and QEMU's own network",
    remedy: "Write type='bridge' and <source bridge='…'/>.",
    // A start resolves a network to its bridge before this check.
    isAsked: ({ type }) => !["user", "bridge", "ethernet", "direct", "network", "vhostuser"].includes(type),
  },
  {
    place: "source/ip",
    missing: "give the host's end of an interface an address",
    remedy: "Leave <ip> and <route> out of <source>, and give the tap its address with ip(8).",
    isAsked: (found) =>
      found.type === "ethernet" && (found.source?.ips.length ?? 0) + (found.source?.routes.length ?? 0) > 0,
  },
  {
    place: "virtualport",
    missing: "talk to Open vSwitch, nor to a switch by 802.1Qbg",
    remedy: "Leave <virtualport> out. Write type='bridge' and <source bridge='…'/> of a Linux bridge.",
    isAsked: ({ virtualport }) => virtualport !== undefined,
  },
  {
    place: "backend",
    missing: "start passt",
    remedy: "Leave <backend> out: an interface of type='user' is then on QEMU's own network.",
    isAsked: ({ backend }) => backend !== undefined,
  },
  {
    place: "filterref",
    missing: "write the host's packet filter, where each of a filter's rules would have to be undone,",
    remedy:
      "Leave <filterref> out. Write <port isolated='yes'/>, or filter on the bridge with nft(8) by the tap's name: <target dev='…'/>.",
    isAsked: ({ filterref }) => filterref !== undefined,
  },
  {
    place: "bandwidth",
    missing: "limit guests' traffic",
    remedy: "Leave <bandwidth> out, and run tc(8) on the tap: <target dev='…'/> names it.",
    isAsked: ({ bandwidth }) => bandwidth !== undefined,
  },
  {
    place: "vlan",
    missing: "tag the traffic of interfaces that are on no bridge",
    remedy: "Write type='bridge' and <source bridge='…'/>, or leave <vlan> out.",
    isAsked: (found) => found.vlan !== undefined && !isBridge(found),
  },
  {
    place: "port",
    missing: "isolate interfaces that are on no bridge",
    remedy: "Write type='bridge' and <source bridge='…'/>, or leave <port> out.",
    isAsked: (found) => found.port !== undefined && !isBridge(found),
  },
  {
    place: "target",
    missing: "name a device of the host that is not there",
    isAsked: ({ target, type }) => target !== undefined && (type === "user" || type === "vhostuser"),
  },
  {
    place: "target/@managed",
    missing: "put a tap of somebody else's on a bridge",
    remedy: "Write type='ethernet', and put it on the bridge yourself.",
    isAsked: (found) => found.target?.managed === false && isBridge(found),
  },
  {
    place: "coalesce",
    missing: "gather packets where no tap is made",
    isAsked: ({ coalesce, target, type }) =>
      coalesce !== undefined &&
      (type === "user" || type === "vhostuser" || type === "direct" || target?.managed === false),
  },
  {
    place: "mtu",
    missing: "set the size of a macvtap's frames",
    why: "it has that of the device that it stands on",
    remedy: "Leave <mtu> out, and set the MTU of the device in <source dev='…'/> with ip(8).",
    isAsked: ({ mtu, type }) => mtu !== undefined && type === "direct",
  },
  {
    place: "target/@managed",
    missing: "use a macvtap of somebody else's",
    remedy: "Write managed='yes': svirt makes the macvtap.",
    isAsked: ({ target, type }) => target?.managed === false && type === "direct",
  },
  {
    place: "@trustGuestRxFilters",
    missing: "tell the host's device which addresses a guest listens to",
    remedy: "Write trustGuestRxFilters='no'.",
    isAsked: ({ trustGuestRxFilters }) => trustGuestRxFilters === true,
  },
];

/** Rules for features of network interfaces that a start does not implement yet. */
export const INTERFACE_RULES: readonly UnimplementedRule[] = forEach(
  "interface",
  ({ devices }) => devices.interfaces,
  RULES,
);
