import type { Step } from "../steps/step.ts";

/** VFIO device, by its name in sysfs, and its IOMMU group. */
export interface GroupLink {
  readonly name: string;
  readonly group: string;
  /** Mediated: a driver made it from a part of another device. QEMU's balloon depends on this. */
  readonly isMediated: boolean;
}

const GROUPS = "/sys/kernel/iommu_groups";
const MEDIATED_BUS = "/sys/bus/mdev";
const FOLDER_MODE = 0o755;

/**
 * Plans a folder with symlinks for each VFIO device. QEMU reads the device's group and bus from two symlinks
 * in its folder, and takes the folder's name as the device's. In sysfs no guest may follow symlinks. So the
 * guest's own folder gets a folder of that name with these links. It is removed with the guest's folder.
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
