import type { NetworkInterface } from "../../domain/devices/network/interface.ts";
import { SvirtError } from "../../errors.ts";
import { OVS_VSCTL } from "../../network/switch/port-commands.ts";
import type { PlannedPort, TapSetup } from "../facts/tap.ts";

/** Facts for the decision about a port of Open vSwitch. */
export interface SwitchFacts {
  readonly guestUuid: string;
  /** Whether the switch's program exists. */
  hasProgram(): boolean;
  /**
   * Returns the MTU of a network device; an Open vSwitch bridge has a device of its name. Undefined: it does
   * not exist.
   */
  getMtu(name: string): number | undefined;
}

/** Interface on a bridge. */
type OnSwitch = Pick<NetworkInterface, "mac" | "mtu" | "target" | "virtualport" | "vlan"> & {
  readonly source: { readonly bridge: string };
};

/**
 * Decides the Open vSwitch port of a tap, by default with the bridge's MTU. Throws "unsupported" without Open
 * vSwitch's program, "not-found" without the bridge. virNetDevTapAttachBridge() of libvirt
 */
export function decideSwitchPort(found: OnSwitch, facts: SwitchFacts): Partial<TapSetup> {
  const { mac, mtu, source, target, virtualport, vlan } = found;
  const { bridge } = source;
  const { interfaceid, profileid } = virtualport?.parameters ?? {};
  if (!facts.hasProgram()) {
    throw new SvirtError(`Cannot connect the guest to Open vSwitch: ${OVS_VSCTL} is missing`, {
      kind: "unsupported",
      remedy: "Install openvswitch-switch.",
    });
  }
  // Other names that begin with "-" are names: options come before the command. ovs-vsctl(8)
  if (bridge === "--" || target?.dev === "--") {
    throw new SvirtError(
      "Cannot connect the guest to Open vSwitch: ovs-vsctl reads '--' as the end of a command",
      { kind: "unsupported", remedy: `Rename the ${bridge === "--" ? "bridge" : "tap in <target>"}.` },
    );
  }
  const bridgeMtu = facts.getMtu(bridge);
  if (bridgeMtu === undefined) {
    throw new SvirtError(`Cannot get interface MTU on '${bridge}': No such device`, {
      kind: "not-found",
      remedy: `Create the bridge: ovs-vsctl add-br ${bridge}`,
    });
  }
  if (interfaceid === undefined) throw new Error("a port of Open vSwitch has no interfaceid");
  const port: PlannedPort = {
    bridge,
    guestMac: (mac?.address ?? "").toLowerCase(),
    guestUuid: facts.guestUuid,
    interfaceId: interfaceid,
    ...(profileid === undefined ? {} : { profileId: profileid }),
    ...decideVlans(vlan),
  };
  return { mtu: mtu?.size ?? bridgeMtu, port };
}

/**
 * Decides the VLANs of a port. A single tag is the guest's own VLAN; several, or a native tag, are a trunk.
 * virNetDevVlanParse() and virNetDevOpenvswitchConstructVlans() of libvirt
 */
function decideVlans(vlan: OnSwitch["vlan"]): Pick<PlannedPort, "nativeMode" | "tag" | "trunks"> {
  const { tags = [], trunk } = vlan ?? {};
  const [first] = tags;
  const native = tags.find(({ nativeMode }) => nativeMode !== undefined);
  if (first === undefined) return {};
  if (trunk !== true && tags.length === 1 && native === undefined) return { tag: first.id };
  return {
    trunks: tags.map(({ id }) => id),
    ...(native?.nativeMode === undefined ? {} : { tag: native.id, nativeMode: native.nativeMode }),
  };
}
