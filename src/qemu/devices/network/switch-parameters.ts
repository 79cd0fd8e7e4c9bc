import type { NetworkInterface } from "../../../domain/devices/network/interface.ts";

/** LIBVIRT_IFLA_VF_PORT_PROFILE_MAX of libvirt, without the closing NUL */
const PROFILE_BYTES = 39;

/**
 * Whether the parameters of a virtual port belong to its type. virNetDevVPortProfileCheckNoExtras() of
 * libvirt
 */
export function hasOwnParameters({ virtualport }: Pick<NetworkInterface, "virtualport">): boolean {
  if (virtualport?.type !== "openvswitch") return true;
  const { interfaceid: _, profileid = "", ...others } = virtualport.parameters ?? {};
  return Object.keys(others).length === 0 && new TextEncoder().encode(profileid).length <= PROFILE_BYTES;
}
