import { choice } from "../../../xml/choice.ts";
import { element, type ValueOf } from "../../../xml/element.ts";
import { attribute, child, required } from "../../../xml/field.ts";
import { oneOf, onOff } from "../../../xml/value-form.ts";
import { onPci, onPciOrUsb } from "../../forms/address.ts";
import { alias } from "../../forms/alias.ts";
import { absolutePath } from "../../forms/text.ts";
import { virtioDriver } from "../../forms/virtio-driver.ts";

const bus = attribute("bus", oneOf("ps2", "usb", "virtio"));
const emulated = { bus, model: attribute("model", oneOf("virtio")), driver: virtioDriver, ...onPciOrUsb };

const passedSource = element("source", () => ({ evdev: required(attribute("evdev", absolutePath)) }));
const evdevSource = element("source", () => ({
  dev: required(attribute("dev", absolutePath)),
  grab: attribute("grab", oneOf("all")),
  grabToggle: attribute(
    "grabToggle",
    oneOf("ctrl-ctrl", "alt-alt", "shift-shift", "meta-meta", "scrolllock", "ctrl-scrolllock"),
  ),
  repeat: attribute("repeat", onOff),
}));

/** `<input>`, https://libvirt.org/formatdomain.html#input-devices */
export const input = choice("input", {
  attribute: "type",
  of: () => ({
    mouse: emulated,
    keyboard: emulated,
    tablet: emulated,
    passthrough: {
      bus: attribute("bus", oneOf("virtio")),
      // qemuValidateDomainDeviceDefInput() of libvirt: no input device has transitional or non-transitional
      // models
      model: attribute("model", oneOf("virtio")),
      driver: virtioDriver,
      source: required(child(passedSource)),
      ...onPci,
    },
    evdev: { source: required(child(evdevSource)), alias },
  }),
});
export type Input = ValueOf<typeof input>;
