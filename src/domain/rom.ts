import { element } from "../xml/element.ts";
import { attribute, child } from "../xml/field.ts";
import { onOff, yesNo } from "../xml/value-form.ts";
import { absolutePath } from "./words.ts";

/** `<rom>` of a PCI device: its boot program. https://libvirt.org/formatdomain.html#network-interfaces */
export const rom = child(
  element("rom", {
    enabled: attribute("enabled", yesNo),
    bar: attribute("bar", onOff),
    file: attribute("file", absolutePath),
  }),
);
