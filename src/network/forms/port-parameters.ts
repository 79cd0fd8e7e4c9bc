import type { NetworkInterface } from "../../domain/devices/network/interface.ts";

export type VirtualPort = NonNullable<NetworkInterface["virtualport"]>;
type Type = NonNullable<VirtualPort["type"]>;
type Parameter = keyof NonNullable<VirtualPort["parameters"]>;

/**
 * Parameters of a virtual port, in the order in which libvirt merges them. virNetDevVPortProfileMerge() of
 * libvirt
 */
export const PORT_PARAMETERS: readonly Parameter[] = [
  ...(["managerid", "typeid", "typeidversion", "instanceid", "interfaceid", "profileid"] as const),
];

/** Parameters of each type of virtual port. virNetDevVPortProfileFormat() of libvirt */
const OF_TYPE: Readonly<Record<Type, readonly Parameter[]>> = {
  "802.1Qbg": ["managerid", "typeid", "typeidversion", "instanceid"],
  "802.1Qbh": ["profileid"],
  openvswitch: ["interfaceid", "profileid"],
  midonet: ["interfaceid"],
};

/** Whether a port of the type has a parameter; a port without a type has all. */
export function hasParameter(type: VirtualPort["type"], name: Parameter): boolean {
  return type === undefined || OF_TYPE[type].includes(name);
}

/** Returns a virtual port without the parameters of other types, as libvirt shows it. */
export function dropOtherParameters({ parameters, ...port }: VirtualPort): VirtualPort {
  const own = { ...parameters };
  for (const name of PORT_PARAMETERS) if (!hasParameter(port.type, name)) delete own[name];
  return { ...port, ...(Object.keys(own).length === 0 ? {} : { parameters: own }) };
}
