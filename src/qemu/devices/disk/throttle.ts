import type { ThrottleGroup } from "../../../domain/forms/iotune.ts";
import { type Arguments, jsonArguments } from "../../argument/argument.ts";
import type { Guest } from "../../model/guest.ts";

type Amount = Exclude<keyof ThrottleGroup, "groupName">;

/**
 * QEMU's names of limits, in libvirt's order; lengths only if they are set. qemuMonitorThrottleGroupLimits()
 */
const LIMITS: readonly (readonly [name: string, amount: Amount])[] = [
  ["bps-total", "totalBytesSec"],
  ["bps-read", "readBytesSec"],
  ["bps-write", "writeBytesSec"],
  ["iops-total", "totalIopsSec"],
  ["iops-read", "readIopsSec"],
  ["iops-write", "writeIopsSec"],
  ["bps-total-max", "totalBytesSecMax"],
  ["bps-read-max", "readBytesSecMax"],
  ["bps-write-max", "writeBytesSecMax"],
  ["iops-total-max", "totalIopsSecMax"],
  ["iops-read-max", "readIopsSecMax"],
  ["iops-write-max", "writeIopsSecMax"],
  ["iops-size", "sizeIopsSec"],
];
const LENGTHS: typeof LIMITS = [
  ["bps-total-max-length", "totalBytesSecMaxLength"],
  ["bps-read-max-length", "readBytesSecMaxLength"],
  ["bps-write-max-length", "writeBytesSecMaxLength"],
  ["iops-total-max-length", "totalIopsSecMaxLength"],
  ["iops-read-max-length", "readIopsSecMaxLength"],
  ["iops-write-max-length", "writeIopsSecMaxLength"],
];

/** -object for each throttle group of disks. qemuBuildThrottleGroupCommandLine() of libvirt */
export function formatThrottleGroups({ domain }: Guest): Arguments {
  return (domain.throttleGroups?.groups ?? []).flatMap((group) => {
    const { groupName, ...amounts } = group;
    if (Object.values(amounts).every((amount) => amount === 0)) return [];
    const lengths = LENGTHS.filter(([, amount]) => (group[amount] ?? 0) > 0);
    const limits = Object.fromEntries(
      [...LIMITS, ...lengths].map(([name, amount]) => [name, group[amount] ?? 0]),
    );
    return jsonArguments("-object", { "qom-type": "throttle-group", id: `throttle-${groupName}`, limits });
  });
}
