import { element } from "../../xml/element.ts";
import { attribute, child } from "../../xml/field.ts";
import { oneOf } from "../../xml/value-form.ts";
import { word } from "./text.ts";

const driver = element("driver", () => ({
  name: attribute("name", oneOf("vfio")),
  model: attribute("model", word),
}));

/**
 * `<driver>` of a passed-through PCI device: the driver of the host's kernel that a managed device is bound
 * to. https://libvirt.org/formatdomain.html#usb-pci-scsi-devices
 */
export const hostdevDriver = child(driver);
