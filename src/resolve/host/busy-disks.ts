import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { PCI_DEVICES } from "../../run/steps/pci.ts";
import { type Instance, registryOf } from "../../state/instance.ts";
import { isInUse, readDiskUse } from "../busy-disk.ts";

const BLOCK_DEVICES = "/sys/class/block";
/**
 * Subsystem in the path of a disk that several NVMe controllers may reach. linux
 * drivers/nvme/host/multipath.c
 */
const SUBSYSTEM = /^.*\/nvme-subsys\d+(?=\/)/;

/**
 * Refuses to detach a controller if its disk is mounted, used as swap, part of another device, or used by a
 * guest. Throws "wrong-state".
 */
export function refuseBusyDisks(instance: Instance, device: string): void {
  const { host } = instance;
  const folder = `${host.inspectFile(`${PCI_DEVICES}/${device}`)?.id.path ?? ""}/`;
  const use = readDiskUse(host);
  const busy = host.listFolder(BLOCK_DEVICES).filter((name) => {
    const path = host.inspectFile(`${BLOCK_DEVICES}/${name}`)?.id.path ?? "";
    if (!isOn(host, path, folder)) return false;
    const number = host.readText(`${path}/dev`)?.trim() ?? "";
    const isUsed = isInUse(host, use, { name: `/dev/${name}`, folder: path, number });
    return isUsed || registryOf(instance).isTaken("file", `device-${number}`);
  });
  if (busy.length === 0) return;
  throw new SvirtError(`Cannot detach ${device} from the host: the host uses ${busy.join(", ")} on it`, {
    kind: "wrong-state",
    remedy: "Unmount its file systems, stop the guest that uses it, or pass another device.",
  });
}

/** Decides whether a block device is reached through a device below a folder of sysfs. */
function isOn(host: Host, path: string, folder: string): boolean {
  if (path.startsWith(folder)) return true;
  const subsystem = SUBSYSTEM.exec(path)?.[0];
  if (subsystem === undefined) return false;
  return host
    .listFolder(subsystem)
    .some((name) => host.inspectFile(`${subsystem}/${name}`)?.id.path.startsWith(folder) === true);
}
