import { SvirtError, throwErrors } from "../../errors.ts";
import { type ForwardMode, modeOf } from "../forms/mode-rules.ts";
import type { Network } from "../forms/network.ts";
import { numbered } from "../forms/numbered.ts";

/** Part of a network that a start would have to apply. */
interface Missing {
  /** Path below `/network/`. */
  readonly place: string;
  /** Operation that a start would need and lacks. */
  readonly missing: string;
  readonly remedy: string;
}

/** Network that is a bridge of the host. */
export type BridgeNetwork = Network & { readonly bridge: { readonly name: string } };

const OWN_BRIDGE =
  "Create a bridge with ip(8) or your network's configuration, and write <forward mode='bridge'/> and <bridge name='…'/>.";
const HOST_BRIDGE = "Write <bridge name='…'/> of a bridge of the host, without devices in <forward>.";
const PER_INTERFACE =
  "Write <forward mode='bridge'/> and <bridge name='…'/>; or write <interface type='direct'> into the domain.";

/** Operation that the start of a network of each mode lacks; undefined: none. */
const MODES: Readonly<Record<ForwardMode, Omit<Missing, "place"> | undefined>> = {
  none: { missing: "create bridges and run dnsmasq", remedy: OWN_BRIDGE },
  nat: { missing: "create bridges, run dnsmasq and translate addresses", remedy: OWN_BRIDGE },
  route: { missing: "create bridges, run dnsmasq and forward packets", remedy: OWN_BRIDGE },
  open: { missing: "create bridges and run dnsmasq", remedy: OWN_BRIDGE },
  bridge: undefined,
  private: { missing: "choose devices for macvtaps", remedy: PER_INTERFACE },
  vepa: { missing: "choose devices for macvtaps", remedy: PER_INTERFACE },
  passthrough: { missing: "choose devices for macvtaps", remedy: PER_INTERFACE },
  hostdev: {
    missing: "choose PCI devices for guests",
    remedy: "Write <interface type='hostdev'> with the device's address into the domain.",
  },
};

/**
 * Returns the network if its start needs nothing of the host: it is a bridge that exists without svirt. Throws "unsupported" for
 * any other network, with all parts that a start would have to apply.
 */
export function startableNetwork(network: Network): BridgeNetwork {
  throwErrors(
    listMissing(network).map(({ missing, place, remedy }) => {
      const path = `/network/${place}`;
      return new SvirtError(
        `Cannot start the network '${network.name}': ${path}: svirt does not ${missing} yet`,
        { kind: "unsupported", remedy, place: path },
      );
    }),
  );
  const { bridge } = network;
  // listMissing() has refused a network without it.
  if (bridge?.name === undefined)
    throw new Error("a network without a bridge is neither started nor refused");
  return { ...network, bridge: { ...bridge, name: bridge.name } };
}

function listMissing(network: Network): readonly Missing[] {
  const mode = MODES[modeOf(network)];
  if (mode !== undefined) {
    const place = network.forward === undefined ? "forward" : "forward/@mode";
    return [{ ...mode, place }, ...listOptions(network)];
  }
  const { bridge, portgroups } = network;
  return [
    ...partly(bridge?.name === undefined, {
      place: "bridge/@name",
      missing: "choose devices for macvtaps",
      remedy: HOST_BRIDGE,
    }),
    ...partly(bridge?.macTableManager === "libvirt", {
      place: "bridge/@macTableManager",
      missing: "fill a bridge's table of addresses",
      remedy: "Leave macTableManager out of <bridge>.",
    }),
    ...listTraffic(network, ""),
    ...portgroups.flatMap((group, at) => listTraffic(group, `${numbered("portgroup", portgroups, at)}/`)),
    ...listOptions(network),
  ];
}

type Traffic = Pick<Network, "bandwidth" | "trustGuestRxFilters" | "virtualport" | "vlan">;

/** Lists settings of a network or a port group for the interfaces of guests. */
function listTraffic(of: Traffic, within: string): readonly Missing[] {
  const { bandwidth, trustGuestRxFilters, virtualport, vlan } = of;
  return [
    ...partly(trustGuestRxFilters === true, {
      place: `${within}@trustGuestRxFilters`,
      missing: "pass the guest's receive filters to the host's device",
      remedy: "Write trustGuestRxFilters='no'.",
    }),
    ...partly(vlan !== undefined, {
      place: `${within}vlan`,
      missing: "set the VLAN of a network",
      remedy: "Leave <vlan> out, and write it into the <interface> of each domain.",
    }),
    ...partly(bandwidth !== undefined, {
      place: `${within}bandwidth`,
      missing: "limit network traffic",
      remedy: "Leave <bandwidth> out, and run tc(8) on the bridge.",
    }),
    ...partly(virtualport !== undefined, {
      place: `${within}virtualport`,
      missing: "configure ports of Open vSwitch or of 802.1Qbg switches",
      remedy: "Leave <virtualport> out, and name a Linux bridge.",
    }),
  ];
}

/** Many options of dnsmasq name a program or a file: dhcp-script, conf-file, log-facility, addn-hosts. dnsmasq(8) */
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
