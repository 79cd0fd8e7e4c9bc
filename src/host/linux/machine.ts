import { asSvirtError } from "../../errors.ts";
import { decideMachine, type Machine } from "../../label/machine.ts";
import { readText } from "./quick-files.ts";
import { getBootId } from "./running.ts";

let machine: Machine | undefined;

/** Host.getMachine: read once, so that all marks of one call say the same. machine-id(5), sysfs-class-dmi */
export function getMachine(): Machine {
  machine ??= decideMachine({
    machineId: readAllowed("/etc/machine-id"),
    isTransient: readAllowed("/run/machine-id") !== undefined,
    productUuid: readAllowed("/sys/class/dmi/id/product_uuid"),
    bootId: getBootId(),
    hostName: readAllowed("/proc/sys/kernel/hostname"),
  });
  return machine;
}

/** Only root may read the board's UUID. */
function readAllowed(path: string): string | undefined {
  try {
    return readText(path);
  } catch (error) {
    if (asSvirtError(error).kind === "no-access") return undefined;
    throw error;
  }
}
