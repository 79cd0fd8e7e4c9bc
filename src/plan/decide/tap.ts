import { isVirtio } from "../../domain/devices/is-virtio.ts";
import { isOnMadeBridge, type OnMadeBridge } from "../../domain/devices/network/bound.ts";
import type { InterfaceOf, NetworkInterface } from "../../domain/devices/network/interface.ts";
import { SvirtError } from "../../errors.ts";
import type { Shape } from "../../network/traffic-shape.ts";
import { countQueues, netdevId } from "../../qemu/devices/network/netdev.ts";
import type { Floor, Macvtap, PassedTap, PortVlan, TapRules, TapSetup } from "../facts/tap.ts";
import { decideSwitchPort, type SwitchFacts } from "./switch-port.ts";

/** Interface whose host end is a tap, or a macvtap, that svirt can create. */
export type TappedInterface = OnBridge | InterfaceOf<"ethernet" | "direct">;

/** Interface on a bridge of the host, or on one that a network has made. */
type OnBridge = OnMadeBridge | InterfaceOf<"bridge">;

/** The kernel's facts about a bridge. /sys/class/net/NAME */
export interface BridgeFacts {
  readonly mtu: number;
  readonly filtersVlans: boolean;
  /** VLAN of new ports; 0: none. */
  readonly defaultVlan: number;
}

/** Facts for the decision, in addition to the XML. */
export interface TapFacts {
  /** Names of network devices that exist or that a guest has claimed. */
  readonly taken: ReadonlySet<string>;
  readonly hasVhost: boolean;
  /** Whether a tap of the guest has a packet filter. No tap of such a guest has vhost-net. */
  readonly isFiltered: boolean;
  /** Undefined: the bridge does not exist. */
  getBridge(name: string): BridgeFacts | undefined;
  readonly openVswitch: SwitchFacts;
  /** Label and link group of the guest's macvtaps, if it gets one. */
  readonly macvtap?: { readonly label: string | undefined; readonly group: number };
}

/** Tap of a guest, before its descriptors are numbered. */
export interface PlannedTap extends Pick<PassedTap, "name" | "netdev" | "hasHeader" | "isMade"> {
  readonly queues: number;
  readonly vhosts: number;
  /** Undefined for an existing tap, which keeps its owner's setup. */
  readonly setup: TapSetup | undefined;
  /** Macvtap to create before the guest gets it. */
  readonly link?: Macvtap;
  /** Filter of its frames, and limit of those from the guest. */
  readonly rules?: readonly TapRules[];
  /** Limit of the frames to the guest. */
  readonly shape?: Shape | undefined;
  /** Guaranteed share of the bandwidth of its network. */
  readonly floor?: Floor | undefined;
  /** Label of the device node. */
  readonly label?: string | undefined;
}

/** Reports whether the interface's host end is a tap, or a macvtap, that svirt can create. */
export function isTapped(found: NetworkInterface): found is TappedInterface {
  if (found.type === "network") return isOnMadeBridge(found);
  return found.type === "bridge" || found.type === "ethernet" || found.type === "direct";
}

/**
 * Decides the tap of the interface with QEMU's alias `id`. Throws "not-found" without the bridge or the tap, "in-use"
 * for a used name, "unsupported" for a feature that the bridge or the kernel lacks.
 */
export function decideTap(found: TappedInterface, id: string, facts: TapFacts): PlannedTap {
  if (found.type === "direct") return decideMacvtap(found, id, facts);
  const isMade = found.target?.managed !== false;
  const name = isMade ? chooseName(found.target?.dev, facts.taken) : existingName(found, facts.taken);
  return {
    name,
    netdev: netdevId(id),
    // A header asks the host to complete a checksum behind the filter, at a place in the frame that the guest chooses.
    hasHeader: isVirtio(found) && found.filterref === undefined,
    isMade,
    queues: countQueues(found).queues,
    vhosts: countVhosts(found, facts),
    setup: isMade ? decideSetup(found, name, facts) : undefined,
  };
}

/** Decides the macvtap of an interface; the default mode is VEPA. qemuInterfaceDirectConnect() of libvirt */
function decideMacvtap(found: InterfaceOf<"direct">, id: string, facts: TapFacts): PlannedTap {
  const { dev: lower, mode = "vepa" } = found.source;
  if (!facts.taken.has(lower)) {
    throw new SvirtError(`Cannot get interface MTU on '${lower}': No such device`, {
      kind: "not-found",
      remedy: "Name a network device of the host: ip link",
    });
  }
  const name = chooseName(found.target?.dev, facts.taken, GENERATED_MACVTAP);
  const { group = 0, label } = facts.macvtap ?? {};
  return {
    name,
    netdev: netdevId(id),
    hasHeader: isVirtio(found),
    isMade: false,
    queues: countQueues(found).queues,
    vhosts: countVhosts(found, facts),
    setup: undefined,
    link: { name, lower, mode, mac: (found.mac?.address ?? "").toLowerCase(), group },
    label,
  };
}

/**
 * Prefixes of names that libvirt generates. A definition with one has it from an earlier run, on a network maybe as the other kind.
 * VIR_NET_GENERATED_VNET_PREFIX, VIR_NET_GENERATED_MACVTAP_PREFIX
 */
const [GENERATED, GENERATED_MACVTAP] = ["vnet", "macvtap"];
const MOST_NAMES = 100_000;

function chooseName(
  requested: string | undefined,
  taken: ReadonlySet<string>,
  generated = GENERATED,
): string {
  const isGenerated = [GENERATED, GENERATED_MACVTAP].some((prefix) => requested?.startsWith(prefix) === true);
  const pattern = requested === undefined || isGenerated ? `${generated}%d` : requested;
  if (pattern.includes("%d")) return freeName(pattern, taken);
  if (!taken.has(pattern)) return pattern;
  throw new SvirtError(`Cannot create the tap ${pattern}: a network device of that name exists`, {
    kind: "in-use",
    remedy: "Write another name into <target>, or managed='no' to use that device.",
  });
}

function freeName(pattern: string, taken: ReadonlySet<string>): string {
  for (let number = 0; number < MOST_NAMES; number += 1) {
    const name = pattern.replace("%d", String(number));
    if (!taken.has(name)) return name;
  }
  throw new SvirtError(`Cannot create a tap: every name of the form ${pattern} is in use`, {
    kind: "in-use",
    remedy: "Write another name into <target>, or remove unused taps: ip link",
  });
}

function existingName({ target }: Pick<TappedInterface, "target">, taken: ReadonlySet<string>): string {
  const name = target?.dev ?? "";
  if (taken.has(name)) return name;
  throw new SvirtError(`target managed='no' but specified dev doesn't exist: ${name}`, {
    kind: "not-found",
    remedy: `Create it: ip tuntap add ${name} mode tap`,
  });
}

/**
 * Returns the number of vhost-net descriptors. As in libvirt, QEMU carries the frames itself without vhost-net, unless the
 * XML requires it. vhost-net passes headers of its owner's choice to any tap, also to one without headers: tun_xdp_one() of Linux.
 */
function countVhosts(found: TappedInterface, { hasVhost, isFiltered }: TapFacts): number {
  if (hasVhost && !isFiltered) return countQueues(found).vhosts;
  if (found.driver?.name !== "vhost") return 0;
  if (isFiltered) {
    throw new SvirtError(
      "Cannot use vhost-net for an interface: the guest has a packet filter, which vhost-net can bypass",
      {
        kind: "unsupported",
        remedy: "Leave <driver name='vhost'/> out, or <filterref> of all interfaces of the guest.",
      },
    );
  }
  throw new SvirtError("vhost-net was requested for an interface, but is unavailable: no /dev/vhost-net", {
    kind: "unsupported",
    remedy: "Run: modprobe vhost_net",
  });
}

function decideSetup(
  found: Exclude<TappedInterface, InterfaceOf<"direct">>,
  name: string,
  facts: TapFacts,
): TapSetup {
  const gatheredFrames = found.coalesce?.rx?.frames?.max;
  return {
    name,
    mac: hostEndMac(found.mac?.address ?? ""),
    ...(found.mtu === undefined ? {} : { mtu: found.mtu.size }),
    ...(gatheredFrames === undefined ? {} : { gatheredFrames }),
    ...(found.type === "ethernet" ? {} : decidePort(found, facts)),
  };
}

/** Decides the bridge port of a tap. A bridge uses the smallest MTU of its ports, and a new port must not lower it. */
function decidePort(found: OnBridge, facts: TapFacts): Partial<TapSetup> {
  if (found.virtualport?.type === "openvswitch") return decideSwitchPort(found, facts.openVswitch);
  const { bridge } = found.source;
  const is = facts.getBridge(bridge);
  if (is === undefined) {
    throw new SvirtError(`Cannot get interface MTU on '${bridge}': No such device`, {
      kind: "not-found",
      remedy: `Create the bridge: ip link add ${bridge} type bridge && ip link set ${bridge} up`,
    });
  }
  return {
    bridge,
    mtu: found.mtu?.size ?? is.mtu,
    ...(isOnMadeBridge(found) ? { isGuarded: true } : {}),
    ...(found.port?.isolated === true ? { isolated: true } : {}),
    ...decideVlans(found, is),
  };
}

function decideVlans({ source, vlan }: OnBridge, is: BridgeFacts): Partial<TapSetup> {
  if (vlan === undefined) return {};
  if (!is.filtersVlans) {
    throw new SvirtError(
      `Cannot put the guest into a VLAN: the bridge ${source.bridge} does not filter VLANs, so the guest would be in all of them`,
      {
        kind: "unsupported",
        remedy: `Run: ip link set ${source.bridge} type bridge vlan_filtering 1`,
      },
    );
  }
  return {
    vlans: listVlans(vlan),
    ...(is.defaultVlan === 0 ? {} : { defaultVlan: is.defaultVlan }),
  };
}

/**
 * Returns the VLANs of a port. A single tag is the guest's own VLAN, untagged. In a trunk, only a native VLAN may be
 * untagged. virNetDevBridgeSetupVlans()
 */
function listVlans({ tags, trunk }: NonNullable<InterfaceOf<"bridge">["vlan"]>): PortVlan[] {
  const isTrunk =
    trunk === true || tags.length > 1 || tags.some(({ nativeMode }) => nativeMode !== undefined);
  if (!isTrunk) return tags.map(({ id }) => ({ id, isNative: true, isUntagged: true }));
  return tags.map(({ id, nativeMode }) => ({
    id,
    isNative: nativeMode !== undefined,
    isUntagged: nativeMode === "untagged",
  }));
}

/**
 * Returns the address of the host's end, which differs from the guest's. Its first byte is so high that a bridge does not
 * adopt the address. virNetDevTapCreateInBridgePort() of libvirt
 */
export function hostEndMac(guest: string): string {
  const mac = guest.toLowerCase();
  return `${mac.startsWith("fe") ? "fa" : "fe"}${mac.slice(2)}`;
}
