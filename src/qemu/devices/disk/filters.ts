import type { Disk } from "../../../domain/devices/disk/disk.ts";
import { type Arguments, jsonArguments } from "../../argument/argument.ts";

/** Block nodes between a disk's image and its device, and the name of the top node. */
interface Filters {
  readonly words: Arguments;
  readonly top: string;
}

/**
 * -blockdev for `<driver copy_on_read>` and `<throttlefilters>` above a block node, numbered from
 * `firstNumber`. qemuBuildDiskThrottleFiltersCommandLine() of libvirt
 */
export function formatFilters(disk: Disk, node: string, firstNumber: number): Filters {
  const copies = disk.driver?.copyOnRead === true;
  const name = `libvirt-CoR-${disk.target.dev}`;
  const copy = { driver: "copy-on-read", "node-name": name, file: node, discard: "unmap" };
  let top = copies ? name : node;
  const throttles = (disk.throttleFilters?.filters ?? []).flatMap(({ group }, index) => {
    const file = top;
    top = `libvirt-${firstNumber + index}-filter`;
    const filter = { driver: "throttle", "node-name": top, "throttle-group": `throttle-${group}`, file };
    return jsonArguments("-blockdev", filter);
  });
  return { words: [...(copies ? jsonArguments("-blockdev", copy) : []), ...throttles], top };
}
