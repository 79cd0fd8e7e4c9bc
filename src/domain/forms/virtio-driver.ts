import { element, type ValueOf } from "../../xml/element.ts";
import { attribute, child } from "../../xml/field.ts";
import { oneOf, onOff } from "../../xml/value-form.ts";

/** Options of a virtio device, https://libvirt.org/formatdomain.html#virtio-related-options */
export const virtioOptions = {
  iommu: attribute("iommu", onOff),
  ats: attribute("ats", onOff),
  packed: attribute("packed", onOff),
  pagePerVq: attribute("page_per_vq", onOff),
};

const driver = element("driver", () => virtioOptions);
export type VirtioOptions = ValueOf<typeof driver>;

/** `<driver>` of a device without other settings in it. */
export const virtioDriver = child(driver);

/**
 * Model of a virtio device: `virtio`, or a model with (transitional) or without the interface from before
 * virtio 1.0.
 */
export const virtioModel = oneOf("virtio", "virtio-transitional", "virtio-non-transitional");
