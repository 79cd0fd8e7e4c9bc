import type { Step } from "../steps/step.ts";

/** A device that is passed through by VFIO, by its name in sysfs, and the group that its IOMMU keeps it in. */
export interface GroupLink {
  readonly name: string;
  readonly group: string;
  /** One that a driver has made of a part of another: QEMU's balloon depends on it. */
  readonly isMediated: boolean;
}

const GROUPS = "/sys/kernel/iommu_groups";
const MEDIATED_BUS = "/sys/bus/mdev";
const FOLDER_MODE = 0o755;

/**
 * QEMU asks a device's folder for two symlinks, of which group it is and on which bus, and takes its name for the device's.
 * In sysfs no guest follows symlinks. So a folder of that name with these links stands in the guest's own, and goes with it.
 * qemu.git hw/vfio/container.c vfio_device_groupid(), hw/vfio/helpers.c vfio_device_is_mdev()
 */
export function planGroupLinks(
  links: readonly GroupLink[],
  { label, workFolder }: { readonly label: string | undefined; readonly workFolder: string },
): Step[] {
  return links.flatMap(({ group, isMediated, name }): Step[] => {
    const path = `${workFolder}/${name}`;
    const folder = { path, mode: FOLDER_MODE, uid: 0, ...(label === undefined ? {} : { label }) };
    return [
      { do: "make-folder", ...folder },
      { do: "make-link", path: `${path}/iommu_group`, target: `${GROUPS}/${group}` },
      ...(isMediated ? [{ do: "make-link", path: `${path}/subsystem`, target: MEDIATED_BUS } as const] : []),
    ];
  });
}
