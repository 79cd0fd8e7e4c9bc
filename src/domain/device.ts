import { element } from "../xml/element.ts";
import { attribute, child, required } from "../xml/field.ts";
import { integer } from "../xml/value-form.ts";
import { address } from "./address.ts";
import { alias } from "./alias.ts";

/** What almost every device may have at its end, in the order in which libvirt writes it. */
export const placed = { alias, address: child(address) };

/** `<boot order='1'/>` of a device, https://libvirt.org/formatdomain.html#hypervisor-features */
export const bootOrder = child(element("boot", { order: required(attribute("order", integer(1, 65535))) }));
