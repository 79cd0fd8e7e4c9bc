import type { Instance } from "../../state/instance.ts";
import { findRunning } from "../guest/find-domain.ts";
import {
  findInterface,
  type InterfaceStatistics,
  readInterfaceStatistics,
} from "../guest/guest-interfaces.ts";
import { domainOf } from "./guest-statistics.ts";

/** A network interface and its traffic counters. */
interface InterfaceWithStatistics {
  /** Name of the tap or macvtap on the host. */
  readonly device: string;
  readonly statistics: InterfaceStatistics;
}

/**
 * Returns the counters of a running guest's interface, by its name on the host or MAC address. Throws
 * "not-found", "wrong-state".
 */
export function getInterfaceStatistics(
  instance: Instance,
  key: string,
  name: string,
): InterfaceWithStatistics {
  const { target, type } = findInterface(domainOf(findRunning(instance, key).guest).devices.interfaces, name);
  const device = target?.dev ?? name;
  return { device, statistics: readInterfaceStatistics(instance, device, type) };
}
