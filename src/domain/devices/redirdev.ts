import { choice } from "../../xml/choice.ts";
import { element, type ValueOf } from "../../xml/element.ts";
import { attribute, children, required } from "../../xml/field.ts";
import { hexadecimal, oneOf, type ValueForm, yesNo } from "../../xml/value-form.ts";
import { onUsb } from "../forms/address.ts";
import { bootOrder } from "../forms/boot-order.ts";
import { socketAtPath } from "../forms/source/chardev.ts";
import { BACKEND_EXCEPTIONS, chardevBackends, REFUSED_BACKENDS } from "../forms/source/chardev-backend.ts";

/**
 * `<redirdev>`: a USB device at the other end of a connection.
 * https://libvirt.org/formatdomain.html#redirected-devices
 */
export const redirdev = choice("redirdev", {
  attribute: "type",
  of: () =>
    chardevBackends(
      { bus: required(attribute("bus", oneOf("usb"))), boot: bootOrder, ...onUsb },
      socketAtPath,
    ),
  refused: REFUSED_BACKENDS,
  exceptionsOf: BACKEND_EXCEPTIONS,
});
export type Redirdev = ValueOf<typeof redirdev>;

/** A number, or "-1" for any; an absent number means any, too. */
function orAny(form: ValueForm<number>): ValueForm<number> {
  return {
    expects: `${form.expects}, or -1`,
    decode: (text) => (text === "-1" ? ANY : form.decode(text)),
    encode: (value) => (value === ANY ? "-1" : form.encode(value)),
  };
}

/** Matches any class, vendor, product or version. */
const ANY = -1;

/**
 * USB version 2.56 as 0x0256, two decimal digits of each part. virDomainRedirFilterUSBVersionHelper() of
 * libvirt
 */
const usbVersion: ValueForm<number> = {
  expects: "a version such as 2.00",
  decode(text) {
    const [, major, minor] = /^([0-9]{1,2})\.([0-9]{1,2})$/.exec(text) ?? [];
    if (major === undefined || minor === undefined) return undefined;
    return Number.parseInt(`${major.padStart(2, "0")}${minor.padStart(2, "0")}`, 16);
  },
  encode(value) {
    const digits = value.toString(16).padStart(4, "0");
    return `${Number(digits.slice(0, 2))}.${digits.slice(2)}`;
  },
};

const anyId = orAny(hexadecimal(0xffff, 4));
const usbdev = element("usbdev", () => ({
  class: attribute("class", orAny(hexadecimal(0xff, 2))),
  vendor: attribute("vendor", anyId),
  product: attribute("product", anyId),
  version: attribute("version", orAny(usbVersion)),
  allow: required(attribute("allow", yesNo)),
}));
export type RedirRule = ValueOf<typeof usbdev>;

/** `<redirfilter>`: USB devices for redirection. */
export const redirfilter = element("redirfilter", () => ({ rules: children(usbdev) }));
