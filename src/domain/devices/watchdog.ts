import { element, type ValueOf } from "../../xml/element.ts";
import { attribute, required } from "../../xml/field.ts";
import { oneOf } from "../../xml/value-form.ts";
import { onPci } from "../forms/address.ts";

/** `<watchdog>`, https://libvirt.org/formatdomain.html#watchdog-devices */
export const watchdog = element("watchdog", () => ({
  model: required(attribute("model", oneOf("i6300esb", "ib700", "itco"))),
  action: attribute("action", oneOf("reset", "shutdown", "poweroff", "pause", "none", "dump", "inject-nmi")),
  ...onPci,
}));
export type Watchdog = ValueOf<typeof watchdog>;
