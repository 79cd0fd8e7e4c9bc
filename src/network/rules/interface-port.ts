import type { NetworkInterface } from "../../domain/devices/network/interface.ts";
import { SvirtError } from "../../errors.ts";
import { hasOwnBridge } from "../forms/mode-rules.ts";
import type { Network, Portgroup } from "../forms/network.ts";

type Port = NonNullable<NetworkInterface["virtualport"]>;
type Settings = Pick<NetworkInterface, "virtualport" | "vlan">;

/** Network of an interface, with its port group, and the place of the interface. */
interface PortOwner {
  readonly network: Network;
  readonly group: Portgroup | undefined;
  readonly place: string;
}

/**
 * Returns the VLANs and the virtual port of an interface on a network: its own ones, completed by those of the port group and the
 * network. Throws "xml" if two ports differ, "unsupported" if the network makes its bridge. networkAllocatePort(),
 * virNetDevVPortProfileMerge3() of libvirt
 */
export function portSettings(own: Settings, { group, network, place }: PortOwner): Settings {
  const vlan = own.vlan ?? group?.vlan ?? network.vlan;
  const at = `${place}/virtualport`;
  const virtualport = mergePort(mergePort(own.virtualport, group?.virtualport, at), network.virtualport, at);
  if (virtualport !== undefined && hasOwnBridge(network)) {
    throw new SvirtError(
      `Cannot apply ${at}: the network '${network.name}' makes its bridge, which has no virtual ports`,
      {
        kind: "unsupported",
        place: at,
        remedy: "Leave <virtualport> out; or name a network of mode bridge with an Open vSwitch bridge.",
      },
    );
  }
  return {
    ...(vlan === undefined ? {} : { vlan }),
    ...(virtualport === undefined ? {} : { virtualport }),
  };
}

function mergePort(port: Port | undefined, other: Port | undefined, place: string): Port | undefined {
  if (port === undefined || other === undefined) return port ?? other;
  refuseMismatch("types", [port.type, other.type], place);
  const values = new Map<string, unknown>(Object.entries(port.parameters ?? {}));
  for (const [name, value] of Object.entries(other.parameters ?? {}))
    refuseMismatch(`${name}s`, [values.get(name), value], place);
  const parameters = { ...other.parameters, ...port.parameters };
  return { ...other, ...port, ...(Object.keys(parameters).length === 0 ? {} : { parameters }) };
}

function refuseMismatch(what: string, [own, other]: readonly [unknown, unknown], place: string): void {
  if (own === undefined || other === undefined || own === other) return;
  throw new SvirtError(
    `attempt to merge virtualports with mismatched ${what} ('${String(own)}' and '${String(other)}')`,
    {
      kind: "xml",
      place,
      remedy: "Write it in one place: in <interface>, or in the network or its port group.",
    },
  );
}
