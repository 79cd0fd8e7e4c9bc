import type { HostDevice } from "../devices/hostdev.ts";
import { hostPciPath } from "../forms/host-pci.ts";
import { mdevPath, scsiPath, usbNode } from "./passthrough-paths.ts";
import type { Resource } from "./resource.ts";

/**
 * Device node of vhost-scsi, which all guests with such a device open. Documentation/admin-guide/devices.txt
 * of Linux
 */
export const VHOST_SCSI = "/dev/vhost-scsi";

/** Lists the resources of a host device: its device node, or the folder in sysfs that leads to it. */
export function listHostDevice(device: HostDevice): readonly Resource[] {
  switch (device.type) {
    case "pci":
      return [
        {
          kind: "vfio-device",
          path: hostPciPath(device.source.address),
          isManaged: device.managed === true,
          ...(device.driver?.model === undefined ? {} : { driver: device.driver.model }),
        },
      ];
    case "mdev":
      return [{ kind: "vfio-device", path: mdevPath(device.source.address.uuid), isManaged: false }];
    case "usb": {
      const path = usbNode(device.source.address);
      return path === undefined ? [] : [{ kind: "usb-device", path, access: "read-write" }];
    }
    case "scsi": {
      if (device.source.protocol !== "adapter") return [];
      const { readonly, shareable } = device;
      const access = readonly ? "read-only" : "read-write";
      return [{ kind: "scsi-device", path: scsiPath(device.source), access, shareable }];
    }
    case "scsi_host":
      return [{ kind: "vhost-scsi", path: VHOST_SCSI, access: "read-write" }];
  }
}
