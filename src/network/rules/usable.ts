import { SvirtError } from "../../errors.ts";
import { numbered } from "../../xml/numbered.ts";
import { familyOf } from "../address/ip-address.ts";
import { hasOwnBridge, modeOf } from "../forms/mode-rules.ts";
import type { Network, Portgroup } from "../forms/network.ts";

/**
 * Refuses a network with parts without a use in its mode. libvirt reads but does not define them. Throws
 * "unsupported", with the place. networkValidate() of libvirt
 */
export function refuseUnusable(network: Network): void {
  const [problem] = [
    ...listUnusedServices(network),
    ...listUnusedBandwidths(network),
    ...listUnusedDevices(network),
    ...listSecondDhcp(network),
    ...listRepeatedGroups(network),
    ...listVlanProblems(network),
  ];
  if (problem === undefined) return;
  const { place, remedy, why } = problem;
  throw new SvirtError(`Cannot use /network/${place} of ${network.name}: ${why}`, {
    kind: "unsupported",
    remedy,
    place: `/network/${place}`,
  });
}

function listUnusedServices(network: Network): readonly Problem[] {
  if (hasOwnBridge(network)) return [];
  const { dns, domain, ips, mac } = network;
  const records = [dns?.txts, dns?.hosts, dns?.srvs].some((found) => (found?.length ?? 0) > 0);
  const parts = [
    [mac !== undefined, "mac"],
    [ips.length > 0, "ip"],
    [records, "dns"],
    [domain !== undefined, "domain"],
  ] as const;
  const why = `a network of mode ${modeOf(network)} has no bridge and no DHCP or DNS server`;
  return parts.flatMap(([isWritten, place]) =>
    isWritten ? [{ place, why, remedy: `Leave <${place}> out of <network>.` }] : [],
  );
}

function listUnusedBandwidths(network: Network): readonly Problem[] {
  const { bandwidth, bridge, portgroups } = network;
  const mode = modeOf(network);
  if (hasOwnBridge(network) || (mode === "bridge" && bridge?.name !== undefined)) return [];
  const why = `svirt limits the traffic of a bridge, and a network of mode ${mode} has none`;
  const own = { place: "bandwidth", why, remedy: "Leave <bandwidth> out of <network>." };
  const groups = portgroups.flatMap((group, at) => {
    const place = `${numbered("portgroup", portgroups, at)}/bandwidth`;
    return group.bandwidth === undefined
      ? []
      : [{ place, why, remedy: "Leave <bandwidth> out of <portgroup>." }];
  });
  return bandwidth === undefined ? groups : [own, ...groups];
}

function listUnusedDevices(network: Network): readonly Problem[] {
  const { addresses, interfaces } = network.forward ?? { addresses: [], interfaces: [] };
  const mode = modeOf(network);
  if (mode === "hostdev" && interfaces.length > 0) {
    const why = "a network of mode hostdev passes PCI devices through";
    return [{ place: "forward/interface", why, remedy: "Write <address type='pci' …/> of each device." }];
  }
  if (mode === "hostdev" || addresses.length === 0) return [];
  const why = `a network of mode ${mode} uses network devices by name`;
  return [{ place: "forward/address", why, remedy: "Write <interface dev='…'/> of each device." }];
}

/** dnsmasq serves a single network of each family on a bridge. */
function listSecondDhcp({ ips }: Network): readonly Problem[] {
  const serves = ips.map(({ dhcp }) => (dhcp?.ranges.length ?? 0) + (dhcp?.hosts.length ?? 0) > 0);
  return ips.flatMap(({ address }, at) => {
    if (serves[at] !== true) return [];
    const first = ips.findIndex(
      (ip, other) => serves[other] === true && familyOf(ip.address) === familyOf(address),
    );
    if (first === at) return [];
    const why = `an address of ${familyOf(address)} before it has <dhcp>`;
    return [
      { place: `${numbered("ip", ips, at)}/dhcp`, why, remedy: "Leave <dhcp> out of all but one <ip>." },
    ];
  });
}

function listRepeatedGroups({ portgroups }: Network): readonly Problem[] {
  const firsts = new Map([...portgroups.entries()].reverse().map(([at, { name }]) => [name, at]));
  const firstDefault = portgroups.findIndex((group) => group.default === true);
  return portgroups.flatMap((group, at) => {
    const place = numbered("portgroup", portgroups, at);
    if (firsts.get(group.name) !== at) {
      return [
        { place: `${place}/@name`, why: `a group before it is ${group.name}`, remedy: "Write another name." },
      ];
    }
    if (group.default !== true || at === firstDefault) return [];
    const why = "a group before it is the default";
    return [{ place: `${place}/@default`, why, remedy: "Leave default out of all but one <portgroup>." }];
  });
}

const WHY = "only bridges of Linux and Open vSwitch and SR-IOV devices tag the traffic of a guest";

/** Lists the `<vlan>` of a network that nothing would apply. networkValidate() of libvirt */
function listVlanProblems(network: Network): readonly Problem[] {
  const { portgroups, vlan } = network;
  const groups = portgroups.flatMap((group, at) => {
    const isTagged = vlan !== undefined || group.vlan !== undefined;
    if (!isTagged || tagsIn(network, group)) return [];
    const name = numbered("portgroup", portgroups, at);
    const place = group.vlan === undefined ? "vlan" : `${name}/vlan`;
    return [{ place, why: WHY, remedy: "Leave <vlan> out, or write <virtualport type='openvswitch'/>." }];
  });
  const hasDefault = portgroups.some((group) => group.default === true);
  if (vlan === undefined || hasDefault || tagsIn(network)) return groups;
  return [{ place: "vlan", why: WHY, remedy: "Leave <vlan> out of <network>." }, ...groups];
}

/**
 * Whether the traffic of a group's guests can be tagged. The group's own `<virtualport>` precedes the
 * network's.
 */
function tagsIn(network: Network, group?: Portgroup): boolean {
  const mode = modeOf(network);
  const port = group?.virtualport ?? network.virtualport;
  if (group?.virtualport === undefined && (mode === "hostdev" || mode === "passthrough")) return true;
  return mode === "bridge" && (port === undefined || port.type === "openvswitch");
}

/** Unusable part of a network. */
interface Problem {
  /** Path below `/network/`. */
  readonly place: string;
  readonly why: string;
  readonly remedy: string;
}
