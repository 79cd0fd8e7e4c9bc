import { cpuSet, type IdSet } from "../domain/forms/id-set.ts";
import { SvirtError } from "../errors.ts";
import type { Host } from "../host/host.ts";

const FOLDER = "/sys/devices/system/cpu";

/**
 * Lists the host's processors, online and offline. linux.git
 * Documentation/ABI/testing/sysfs-devices-system-cpu
 */
export function listHostProcessors(host: Host): IdSet {
  return readProcessors(host, "present");
}

/** Lists the online processors. */
export function listOnlineProcessors(host: Host): IdSet {
  return readProcessors(host, "online");
}

function readProcessors(host: Host, name: "present" | "online"): IdSet {
  const found = cpuSet.decode((host.readText(`${FOLDER}/${name}`) ?? "").trim());
  if (found !== undefined) return found;
  throw new SvirtError(`Cannot list the host's processors: ${FOLDER}/${name} is missing`, {
    kind: "failed",
    remedy: "Mount /sys.",
  });
}
