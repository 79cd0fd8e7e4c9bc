import { element, type ValueOf } from "../../xml/element.ts";
import { attribute, child } from "../../xml/field.ts";
import { oneOf, onOff } from "../../xml/value-form.ts";

/** How a virtio device talks to the guest, https://libvirt.org/formatdomain.html#virtio-related-options */
export const virtioOptions = {
  iommu: attribute("iommu", onOff),
  ats: attribute("ats", onOff),
  packed: attribute("packed", onOff),
  pagePerVq: attribute("page_per_vq", onOff),
};

const driver = element("driver", () => virtioOptions);
export type VirtioOptions = ValueOf<typeof driver>;

/** `<driver>` of a device that has no other settings in it. */
export const virtioDriver = child(driver);

/** The model of a virtio device: the usual one, or one that knows or does not know the standard before 1.0. */
export const virtioModel = oneOf("virtio", "virtio-transitional", "virtio-non-transitional");
