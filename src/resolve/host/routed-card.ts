import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { findBelow, listCards } from "./lower-devices.ts";

/**
 * Refuses to detach a network card with the host's default route, directly or below a bridge, bond or VLAN.
 * Throws "wrong-state". The kernel does not tell the bridges of Open vSwitch apart: with a route by any of
 * them, every port of Open vSwitch is refused.
 */
export function refuseRoutedCard(host: Host, device: string): void {
  const used = findBelow(host, listCards(host, device), host.listDefaultRoutes());
  if (used === undefined) return;
  const { name, by } = used;
  throw new SvirtError(
    `Cannot detach ${device} from the host: the host's default route is by ${by === undefined ? `${name} on it` : `the Open vSwitch bridge ${by}, and ${name} on it is a port of Open vSwitch`}`,
    {
      kind: "wrong-state",
      remedy: `Move the route to another device${by === undefined ? "" : `, remove ${name} from its bridge (ovs-vsctl del-port ${name})`}, or pass another device.`,
    },
  );
}
