import type { PassedTap, PortVlan, TapFilter, TapSetup } from "./tap.ts";

/** Describes the setup of a tap's host end in one line. */
export function describeSetup({ bridge, gatheredFrames, isolated, mac, mtu, name, vlans }: TapSetup): string {
  const facts = [
    `MAC ${mac}`,
    ...(mtu === undefined ? [] : [`MTU ${mtu}`]),
    ...(gatheredFrames === undefined ? [] : [`coalescing ${gatheredFrames} frames`]),
    ...(bridge === undefined ? [] : [`on bridge ${bridge}`]),
    ...(isolated === true ? ["isolated"] : []),
    ...(vlans ?? []).map(describeVlan),
    "up",
  ];
  return `set up tap ${name}: ${facts.join(", ")}`;
}

function describeVlan({ id, isNative, isUntagged }: PortVlan): string {
  return `VLAN ${id}${isNative ? " PVID" : ""}${isUntagged ? " untagged" : ""}`;
}

/** Describes the filter of a tap in one line. */
export function describeFilter({ filter, tap, variables }: TapFilter): string {
  const values = variables.map((variable) => `, ${variable.name} ${variable.values.join(" ")}`);
  return `filter the frames of tap ${tap}: ${filter}${values.join("")}`;
}

/** Describes a tap or macvtap that a guest gets. */
export function describeTap({ isMade, macvtap: on, name, queues, vhosts }: PassedTap): string {
  const several = queues.length > 1 ? ` (${queues.length} queues)` : "";
  if (on !== undefined) {
    const labelled = on.label === undefined ? "" : `, labelled ${on.label}`;
    return `the macvtap ${name}${several}${vhosts.length > 0 ? " and vhost-net" : ""}${labelled}`;
  }
  return `${isMade ? "a new tap" : "the tap"} ${name}${several}${vhosts.length > 0 ? " and vhost-net" : ""}`;
}
