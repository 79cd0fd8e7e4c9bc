import type { Disk } from "../../../domain/devices/disk/disk.ts";
import { diskBus } from "../../../domain/devices/disk/facts.ts";
import type { Rule } from "../../argument/rule.ts";

/** Rules for `<iotune>`. qemuValidateDomainDeviceDefDiskBlkdeviotune() of libvirt */
export const IOTUNE_RULES: readonly Rule<Disk>[] = [
  {
    place: "iotune",
    why: "an SD card cannot have limits",
    remedy: "Leave it out.",
    isBroken: (disk) => disk.iotune !== undefined && diskBus(disk) === "sd",
  },
  {
    place: "iotune/group_name",
    why: "a group without limits has no effect",
    remedy: "Write a limit as well, or leave the name out.",
    isBroken: ({ iotune }) => iotune?.groupName !== undefined && limitsOf(iotune).length === 0,
  },
  {
    place: "iotune/group_name",
    why: "another disk of the group has different limits",
    remedy: "Write the same limits for each disk of the group.",
    isBroken: ({ iotune }, { devices }) =>
      iotune?.groupName !== undefined &&
      devices.disks.some(
        ({ iotune: other }) =>
          other !== undefined &&
          other.groupName === iotune.groupName &&
          limitsOf(other).join() !== limitsOf(iotune).join(),
      ),
  },
];

/** Limits with their names. A limit of 0 means none. */
function limitsOf(iotune: NonNullable<Disk["iotune"]>): readonly string[] {
  return Object.entries(iotune).flatMap(([name, value]) =>
    name === "groupName" || value === 0 ? [] : [`${name}=${value}`],
  );
}
