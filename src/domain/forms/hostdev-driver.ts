import { element } from "../../xml/element.ts";
import { attribute, child } from "../../xml/field.ts";
import { oneOf } from "../../xml/value-form.ts";
import { word } from "./text.ts";

/** Driver that keeps a PCI device for the process that opens its group. Documentation/driver-api/vfio.rst of Linux */
export const VFIO_PCI = "vfio-pci";

const driver = element("driver", () => ({
  name: attribute("name", oneOf("vfio")),
  model: attribute("model", word),
}));

/**
 * `<driver>` of a passed-through PCI device: the driver of the host's kernel that a managed device is bound to.
 * https://libvirt.org/formatdomain.html#usb-pci-scsi-devices
 */
export const hostdevDriver = child(driver);

/** Whether the kernel's driver is vfio-pci or its variant for some kind of device, by its name: mlx5_vfio_pci, vfio-pci-igb. */
export function isVfioDriver(name: string): boolean {
  return /(?:^|[-_])vfio[-_]pci(?:$|[-_])/.test(name);
}
