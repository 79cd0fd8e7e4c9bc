import { choice } from "../xml/choice.ts";
import type { ValueOf } from "../xml/element.ts";
import { attribute } from "../xml/field.ts";
import { oneOf } from "../xml/value-form.ts";
import { onPciOrUsb } from "./address.ts";

const bus = attribute("bus", oneOf("ps2", "usb", "virtio"));

/** `<input>`, https://libvirt.org/formatdomain.html#input-devices */
export const input = choice("input", {
  attribute: "type",
  of: { mouse: { bus, ...onPciOrUsb }, keyboard: { bus, ...onPciOrUsb }, tablet: { bus, ...onPciOrUsb } },
  refused: {
    passthrough: "svirt does not pass devices through yet",
    evdev: "svirt does not pass devices through yet",
  },
});
export type Input = ValueOf<typeof input>;
