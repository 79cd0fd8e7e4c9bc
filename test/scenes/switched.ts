import { startDomain } from "../../src/vm/start/start.ts";
import type { Machine } from "../memory-host/machine.ts";
import { MemorySwitch } from "./open-vswitch.ts";
import { domainXml, makeMachine, nodeOn } from "./scene.ts";

/** Identifier of the port of OVS. */
export const ID = "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f";
export const OVS = `<virtualport type='openvswitch'><parameters interfaceid='${ID}' profileid='bob'/></virtualport>`;
/** Returns an interface on the Open vSwitch bridge ovsbr0, or on another source. */
export const onSwitch = (last: string, more: string, source = "bridge='ovsbr0'"): string =>
  `<interface type='${source.startsWith("network") ? "network" : "bridge"}'><mac address='52:54:00:00:00:${last}'/><source ${source}/>${more}<model type='virtio'/></interface>`;
/** An interface in a VLAN of Open vSwitch. */
export const ONE = onSwitch("01", `<vlan><tag id='7'/></vlan>${OVS}`);

interface Switched {
  readonly machine: Machine;
  readonly vswitch: MemorySwitch;
}

/** Returns a machine with the bridge br0 of the kernel and ovsbr0 of Open vSwitch. */
export function switched(): Switched {
  const machine = makeMachine();
  machine.taps.addBridge("br0");
  return { machine, vswitch: new MemorySwitch(machine, "ovsbr0") };
}

/** Returns such a machine with a running guest. */
export async function runningOnSwitch(devices = ONE): Promise<Switched> {
  const found = switched();
  await startDomain(nodeOn(found.machine), domainXml({ devices }));
  return found;
}
