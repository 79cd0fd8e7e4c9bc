import { choice } from "../../xml/choice.ts";
import { element, type ValueOf } from "../../xml/element.ts";
import { attribute, child } from "../../xml/field.ts";
import { integer, onOff } from "../../xml/value-form.ts";
import { onPci } from "../forms/address.ts";
import { alias } from "../forms/alias.ts";

const intelDriver = element("driver", () => ({
  intremap: attribute("intremap", onOff),
  cachingMode: attribute("caching_mode", onOff),
  eim: attribute("eim", onOff),
  iotlb: attribute("iotlb", onOff),
  awBits: attribute("aw_bits", integer(0, 255)),
  dmaTranslation: attribute("dma_translation", onOff),
}));

/** `<iommu>`, https://libvirt.org/formatdomain.html#iommu-devices */
export const iommu = choice("iommu", {
  attribute: "model",
  of: () => ({ intel: { driver: child(intelDriver), alias }, virtio: onPci }),
  refused: { smmuv3: "it is for another processor", amd: "its settings are not implemented" },
});
export type Iommu = ValueOf<typeof iommu>;
