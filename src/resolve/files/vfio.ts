import type { Domain } from "../../domain/domain.ts";
import { isVfioDriver, VFIO_PCI } from "../../domain/forms/vfio-driver.ts";
import { listHostDevice } from "../../domain/resources/hostdev.ts";
import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { GroupLink } from "../../plan/actions/group-link.ts";
import { driverOf, PCI_DEVICES } from "../../run/steps/pci.ts";
import { missing } from "../inspect-file.ts";
import type { ResolvedFile } from "../resolved-file.ts";
import { resolveVfioContainer, resolveVfioGroup } from "./device-node.ts";

const IOMMU_MODULE = "/sys/module/vfio_iommu_type1";
/** Permitted drivers for other devices of a guest's group: linux drivers/ `driver_managed_dma` */
const BYSTANDERS: ReadonlySet<string> = new Set(["pci-stub", "pcieport", "shpchp"]);

/**
 * Lists QEMU's files for a passed-through device, by its folder in sysfs: the device node of its group, and
 * /dev/vfio/vfio, opened by all guests with such a device. `taken` are devices to be detached from their
 * drivers by svirt. Throws "not-found", "wrong-state", "unsupported".
 */
export function resolveVfio(
  host: Host,
  path: string,
  taken: ReadonlySet<string> = new Set<string>(),
): readonly ResolvedFile[] {
  const group = groupOf(host, path);
  if (isPciFolder(path)) refuseUsedByHost(host, { path, group, taken });
  if (host.inspectFile(IOMMU_MODULE) === undefined) {
    throw new SvirtError(`Cannot pass ${path} through: the kernel has not loaded vfio_iommu_type1`, {
      kind: "wrong-state",
      remedy: "Run: modprobe vfio_iommu_type1",
    });
  }
  return [resolveVfioGroup(host, group, taken.has(nameOf(path))), resolveVfioContainer(host)];
}

/** Lists the devices looked up by QEMU by their group. Throws "not-found", "wrong-state". */
export function listGroupLinks(host: Host, { devices }: Pick<Domain, "devices">): GroupLink[] {
  return devices.hostdevs.flatMap(listHostDevice).flatMap((found) => {
    if (found.kind !== "vfio-device") return [];
    const { path } = found;
    return [{ name: nameOf(path), group: groupOf(host, path), isMediated: !isPciFolder(path) }];
  });
}

/** Returns the IOMMU group of a device. Throws "not-found", "wrong-state" without an IOMMU. */
export function groupOf(host: Host, path: string): string {
  if (host.inspectFile(path) === undefined) throw missing(path);
  const group = host.inspectFile(`${path}/iommu_group`)?.id.path.replace(/^.*\//, "");
  if (group !== undefined) return group;
  throw new SvirtError(`Cannot pass ${path} through: the host's IOMMU is off`, {
    kind: "wrong-state",
    remedy:
      "Enable the IOMMU in the firmware and on the kernel's command line (intel_iommu=on or amd_iommu=on).",
  });
}

/**
 * Throws "wrong-state", with a list, if a host driver has other devices of a group, except devices in
 * `taken`.
 */
export function refuseSharedGroup(
  host: Host,
  {
    group,
    path,
    taken,
  }: { readonly path: string; readonly group: string; readonly taken: ReadonlySet<string> },
): void {
  const others = host.listFolder(`/sys/kernel/iommu_groups/${group}/devices`).flatMap((other) => {
    const driver = driverOf(host, other);
    const isFree = driver === undefined || isVfioDriver(driver) || BYSTANDERS.has(driver);
    return isFree || taken.has(other) ? [] : [`${other} (${driver})`];
  });
  const rest = others.filter((each) => !each.startsWith(`${nameOf(path)} `));
  if (rest.length === 0) return;
  throw new SvirtError(
    `Cannot pass ${path} through: its IOMMU group has other devices that the host uses: ${rest.join(", ")}`,
    {
      kind: "wrong-state",
      remedy: `Pass all of them to the guest as <hostdev managed='yes'>, or unbind them from their drivers: driverctl set-override ADDRESS ${VFIO_PCI}`,
    },
  );
}

/**
 * Throws "wrong-state" for a device that the host uses. The kernel refuses a whole group if a host driver has
 * a device in it.
 */
function refuseUsedByHost(host: Host, found: Parameters<typeof refuseSharedGroup>[1]): void {
  const name = nameOf(found.path);
  const driver = driverOf(host, name);
  if (!found.taken.has(name) && (driver === undefined || !isVfioDriver(driver))) {
    throw new SvirtError(`Cannot pass ${found.path} through: the host uses it (driver ${driver ?? "none"})`, {
      kind: "wrong-state",
      remedy: `Write managed='yes', or run: driverctl set-override ${name} ${VFIO_PCI}`,
    });
  }
  refuseSharedGroup(host, found);
}

function isPciFolder(path: string): boolean {
  return path.startsWith(`${PCI_DEVICES}/`);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
