import type { NetworkInterface } from "../../domain/devices/network/interface.ts";
import { SvirtError } from "../../errors.ts";
import { hasOwnBridge } from "../forms/mode-rules.ts";
import type { Network, Portgroup } from "../forms/network.ts";
import {
  dropOtherParameters,
  hasParameter,
  PORT_PARAMETERS,
  type VirtualPort,
} from "../forms/port-parameters.ts";

type Settings = Pick<NetworkInterface, "virtualport" | "vlan">;

/** Network of an interface, with its port group, and the place of the interface. */
interface PortOwner {
  readonly network: Network;
  readonly group: Portgroup | undefined;
  readonly place: string;
}

/**
 * Returns the VLANs and the virtual port of an interface on a network: its own, completed by the network's
 * and the port group's. Throws "xml" if two ports differ, "unsupported" for a type of port unknown to the
 * network. networkAllocatePort() of libvirt
 */
export function portSettings(own: Settings, { group, network, place }: PortOwner): Settings {
  const vlan = own.vlan ?? group?.vlan ?? network.vlan;
  const at = `${place}/virtualport`;
  const virtualport = mergePorts(own.virtualport, [network.virtualport, group?.virtualport], at);
  if (virtualport !== undefined) refuseOtherPort(network, virtualport, at);
  return {
    ...(vlan === undefined ? {} : { vlan }),
    ...(virtualport === undefined ? {} : { virtualport }),
  };
}

/**
 * Merges the ports of lower levels into an interface's, if any of them has a type.
 * virNetDevVPortProfileMerge3() of libvirt
 */
function mergePorts(
  own: VirtualPort | undefined,
  lower: readonly (VirtualPort | undefined)[],
  place: string,
): VirtualPort | undefined {
  if ([own, ...lower].every((port) => port?.type === undefined)) return own;
  let merged: VirtualPort = own ?? {};
  for (const other of lower) if (other !== undefined) merged = mergePort(merged, other, place);
  return dropOtherParameters(merged);
}

/** The lower level's parameters of other types are ignored. virNetDevVPortProfileMerge() of libvirt */
function mergePort(port: VirtualPort, other: VirtualPort, place: string): VirtualPort {
  refuseMismatch("types", [port.type, other.type], place);
  const type = other.type ?? port.type;
  const added = dropOtherParameters({ ...other, ...(type === undefined ? {} : { type }) }).parameters;
  for (const name of PORT_PARAMETERS) {
    if (hasParameter(type, name)) refuseMismatch(`${name}s`, [port.parameters?.[name], added?.[name]], place);
  }
  return { ...(type === undefined ? {} : { type }), parameters: { ...added, ...port.parameters } };
}

/** Parameters shown by libvirt in quotation marks. */
const QUOTED: ReadonlySet<string> = new Set(["instanceids", "interfaceids", "profileids"]);

function refuseMismatch(what: string, [own, other]: readonly [unknown, unknown], place: string): void {
  if (own === undefined || other === undefined || own === other) return;
  const mark = QUOTED.has(what) ? "'" : "";
  const [is, wanted] = [own, other].map((value) => `${mark}${String(value)}${mark}`);
  throw new SvirtError(
    `XML error: attempt to merge virtualports with mismatched ${what} (${is} and ${wanted})`,
    {
      kind: "xml",
      from: "NET",
      place,
      remedy: "Write it in one place: in <interface>, or in the network or its port group.",
    },
  );
}

/**
 * Refuses a port that the devices of the network's interfaces do not have. networkAllocatePort() of libvirt
 */
function refuseOtherPort(network: Network, { type }: VirtualPort, place: string): void {
  const { types, uses } = portsOf(network);
  if (type !== undefined && types.includes(type)) return;
  throw new SvirtError(
    `unsupported configuration: <virtualport type='${type ?? "none"}'> not supported for network '${network.name}' which uses ${uses}`,
    {
      kind: "unsupported",
      from: "NETWORK",
      place,
      remedy: "Leave <virtualport> out; or name a network of mode bridge with an Open vSwitch bridge.",
    },
  );
}

/** Returns the types of virtual ports of a network's interfaces, and the name of their devices. */
function portsOf(network: Network): { readonly types: readonly string[]; readonly uses: string } {
  if (hasOwnBridge(network)) return { types: [], uses: "IP forwarding" };
  if (network.bridge?.name !== undefined) return { types: ["openvswitch"], uses: "a bridge device" };
  return { types: ["802.1Qbg", "802.1Qbh"], uses: "a macvtap device" };
}
