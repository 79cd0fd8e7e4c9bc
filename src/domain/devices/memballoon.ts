import { choice } from "../../xml/choice.ts";
import { dropped, element } from "../../xml/element.ts";
import { attribute, child, required } from "../../xml/field.ts";
import { integer, onOff } from "../../xml/value-form.ts";
import { onPci } from "../forms/address.ts";
import { virtioDriver } from "../forms/virtio-driver.ts";

const stats = element("stats", () => ({ period: required(attribute("period", integer(0, 2 ** 31 - 1))) }));
const virtio = {
  autodeflate: attribute("autodeflate", onOff),
  freePageReporting: attribute("freePageReporting", onOff),
  stats: child(stats),
  ...onPci,
  driver: virtioDriver,
};

/**
 * `<memballoon>`; libvirt adds a virtio balloon if none is written.
 * https://libvirt.org/formatdomain.html#memory-balloon-device
 */
export const memballoon = choice("memballoon", {
  attribute: "model",
  of: () => ({ virtio, "virtio-transitional": virtio, "virtio-non-transitional": virtio, none: {} }),
  exceptionsOf: { none: [dropped("alias", "there is no device to name")] },
});
