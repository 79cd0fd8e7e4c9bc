import { choice } from "../xml/choice.ts";
import { element, type ValueOf } from "../xml/element.ts";
import { attribute, children, required } from "../xml/field.ts";
import { hexadecimal, matching, oneOf, yesNo } from "../xml/value-form.ts";
import { onUsb } from "./address.ts";
import { bootOrder } from "./boot-order.ts";
import { BACKEND_EXCEPTIONS, chardevBackends, REFUSED_BACKENDS } from "./chardev-backend.ts";
import { socketAtPath } from "./chardev-source.ts";

/** `<redirdev>`: a USB device of somebody at the other end. https://libvirt.org/formatdomain.html#redirected-devices */
export const redirdev = choice("redirdev", {
  attribute: "type",
  of: chardevBackends(
    { bus: required(attribute("bus", oneOf("usb"))), boot: bootOrder, ...onUsb },
    socketAtPath,
  ),
  refused: REFUSED_BACKENDS,
  exceptionsOf: BACKEND_EXCEPTIONS,
});
export type Redirdev = ValueOf<typeof redirdev>;

const anyId = hexadecimal(0xffff, 4);
const usbdev = element("usbdev", {
  class: attribute("class", hexadecimal(0xff, 2)),
  vendor: attribute("vendor", anyId),
  product: attribute("product", anyId),
  version: attribute("version", matching(/^[0-9]{1,2}\.[0-9]{2}$/, "a version such as 2.00")),
  allow: required(attribute("allow", yesNo)),
});
export type RedirRule = ValueOf<typeof usbdev>;

/** `<redirfilter>`: which devices may come in that way. */
export const redirfilter = element("redirfilter", { rules: children(usbdev) });
