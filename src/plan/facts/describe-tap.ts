import type { Shape } from "../../network/traffic-shape.ts";
import type { FloorTarget, PassedTap, PlannedPort, PortVlan, TapRules, TapSetup } from "./tap.ts";

/** Describes the setup of a tap's host end in a line. */
export function describeSetup(setup: TapSetup): string {
  const { bridge, gatheredFrames, isGuarded, isolated, mac, mtu, name, port, vlans } = setup;
  const facts = [
    `MAC ${mac}`,
    ...(mtu === undefined ? [] : [`MTU ${mtu}`]),
    ...(gatheredFrames === undefined ? [] : [`coalescing ${gatheredFrames} frames`]),
    ...(bridge === undefined ? [] : [`on bridge ${bridge}`]),
    ...(port === undefined ? [] : describePort(port)),
    ...(isolated === true ? ["isolated"] : []),
    ...(isGuarded === true ? ["without spanning tree"] : []),
    ...(vlans ?? []).map(describeVlan),
    "up",
  ];
  return `set up tap ${name}: ${facts.join(", ")}`;
}

function describePort({ bridge, interfaceId, nativeMode, profileId, tag, trunks }: PlannedPort): string[] {
  return [
    `on Open vSwitch bridge ${bridge}`,
    `interface ${interfaceId}`,
    ...(profileId === undefined ? [] : [`profile ${profileId}`]),
    ...(tag === undefined ? [] : [`VLAN ${tag}${nativeMode === undefined ? "" : ` native ${nativeMode}`}`]),
    ...(trunks === undefined ? [] : [`trunk of VLANs ${trunks.join(" ")}`]),
  ];
}

function describeVlan({ id, isNative, isUntagged }: PortVlan): string {
  return `VLAN ${id}${isNative ? " PVID" : ""}${isUntagged ? " untagged" : ""}`;
}

/** Describes rules for the frames of a tap in a line. */
export function describeRules(rules: TapRules): string {
  if ("limit" in rules) {
    const { burstBytes, bytesPerSecond } = rules.limit;
    return `limit the frames from tap ${rules.tap} to ${bytesPerSecond} bytes per second, burst ${burstBytes} bytes`;
  }
  const values = rules.variables.map((variable) => `, ${variable.name} ${variable.values.join(" ")}`);
  return `filter the frames of tap ${rules.tap}: ${rules.filter}${values.join("")}`;
}

/** Describes a limit of the frames to a guest in a line. */
export function describeShape(tap: string, shape: Shape | undefined): string {
  if (shape === undefined) return `no longer limit the frames to tap ${tap}`;
  const { burstBytes, bytesPerSecond, peakBytesPerSecond } = shape;
  const burst = burstBytes === undefined ? "" : `, burst ${burstBytes} bytes`;
  return `limit the frames to tap ${tap} to ${bytesPerSecond} bytes per second, at most ${peakBytesPerSecond}${burst}`;
}

/** Describes a guaranteed share of a network's bandwidth in a line. */
export function describeFloor({ bridge, mac }: FloorTarget, bytesPerSecond: number | undefined): string {
  return bytesPerSecond === undefined
    ? `no longer guarantee ${mac} a share of bridge ${bridge}`
    : `guarantee ${mac} ${bytesPerSecond} bytes per second of bridge ${bridge}`;
}

/** Describes a guest's tap or macvtap. */
export function describeTap({ isMade, macvtap: on, name, queues, vhosts }: PassedTap): string {
  const several = queues.length > 1 ? ` (${queues.length} queues)` : "";
  if (on !== undefined) {
    const labelled = on.label === undefined ? "" : `, labelled ${on.label}`;
    return `the macvtap ${name}${several}${vhosts.length > 0 ? " and vhost-net" : ""}${labelled}`;
  }
  return `${isMade ? "a new tap" : "the tap"} ${name}${several}${vhosts.length > 0 ? " and vhost-net" : ""}`;
}
