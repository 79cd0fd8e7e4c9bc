import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { PCI_DEVICES } from "../../run/steps/pci.ts";
import { type Instance, registryOf } from "../../state/instance.ts";
import { ownerName } from "../../state/record.ts";

/** Key of a claimed device node. */
const NODE = /^device-(\d+:\d+)$/;
/**
 * Links from the number of a device node to its folder in sysfs. Documentation/ABI/testing/sysfs-dev of Linux
 */
const BY_NUMBER = ["/sys/dev/char", "/sys/dev/block"];

/**
 * Returns the folder in sysfs of a claimed device node behind a PCI device; undefined for another claimed
 * file.
 */
export function deviceBehind(host: Host, device: string, key: string): string | undefined {
  const number = NODE.exec(key)?.[1];
  if (number === undefined) return undefined;
  const folder = `${host.inspectFile(`${PCI_DEVICES}/${device}`)?.id.path ?? ""}/`;
  const paths = BY_NUMBER.flatMap((links) => host.inspectFile(`${links}/${number}`)?.id.path ?? []);
  return paths.find((path) => path.startsWith(folder));
}

/**
 * Refuses to detach a PCI device with a guest's device behind it: a device on its USB bus, a SCSI device by
 * its generic node, or a disk. Throws "in-use". The caller holds the registry's lock.
 */
export function refuseGuestDevices(instance: Instance, device: string): void {
  const { host } = instance;
  const registry = registryOf(instance);
  for (const key of registry.listKeys("file")) {
    const path = deviceBehind(host, device, key);
    const [holder] = path === undefined ? [] : registry.listHolders("file", key);
    if (path === undefined || holder === undefined) continue;
    const name = /^DEVNAME=(.+)$/m.exec(host.readText(`${path}/uevent`) ?? "")?.[1];
    const guest = ownerName(instance, holder);
    throw new SvirtError(
      `Cannot detach ${device} from the host: the guest ${guest} uses ${name === undefined ? path : `/dev/${name}`} behind it`,
      { kind: "in-use", remedy: `Stop that guest, or detach the device from it: svirt shutdown ${guest}` },
    );
  }
}
