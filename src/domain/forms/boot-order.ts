import { element } from "../../xml/element.ts";
import { attribute, child, required } from "../../xml/field.ts";
import { integer } from "../../xml/value-form.ts";

/** `<boot order='1'/>` of a device, https://libvirt.org/formatdomain.html#bios-bootloader */
export const bootOrder = child(
  element("boot", () => ({ order: required(attribute("order", integer(1, 65535))) })),
);
