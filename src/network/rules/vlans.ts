import { numbered } from "../../xml/numbered.ts";
import { modeOf } from "../forms/mode-rules.ts";
import type { Network, Portgroup } from "../forms/network.ts";
import type { Problem } from "./problem.ts";

const WHY = "only bridges of Linux and Open vSwitch and SR-IOV devices tag the traffic of a guest";

/** Lists the `<vlan>` of a network that nothing would apply. networkValidate() of libvirt */
export function listVlanProblems(network: Network): readonly Problem[] {
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

/** Whether the traffic of a group's guests can be tagged. The group's own `<virtualport>` precedes the network's. */
function tagsIn(network: Network, group?: Portgroup): boolean {
  const mode = modeOf(network);
  const port = group?.virtualport ?? network.virtualport;
  if (group?.virtualport === undefined && (mode === "hostdev" || mode === "passthrough")) return true;
  return mode === "bridge" && (port === undefined || port.type === "openvswitch");
}
