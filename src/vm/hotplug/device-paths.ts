import type { Device } from "../../domain/device.ts";
import { hotplugOf } from "../../qemu/hotplug/families.ts";
import type { Instance } from "../../state/instance.ts";
import { listPoolPaths, pathsOf } from "../start/refuse-silent.ts";

/**
 * Lists the paths that an attachment of a device inspects: its files, and the folder of its volume's pool.
 */
export function listDevicePaths(instance: Instance, device: Device): readonly string[] {
  const pools = device.element === "disk" ? listPoolPaths(instance, [device.value]) : [];
  return [...pools, ...pathsOf(hotplugOf(device).resources(device.value))];
}
