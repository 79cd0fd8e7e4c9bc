import { deviceName } from "../../domain/devices/network/source.ts";
import { element, type ValueOf } from "../../xml/element.ts";
import { attribute } from "../../xml/field.ts";
import { integer, oneOf, onOff } from "../../xml/value-form.ts";
import { zoneName } from "./text.ts";

/** `<bridge>`, https://libvirt.org/formatnetwork.html#connectivity; the delay is in seconds. */
export const bridge = element("bridge", () => ({
  name: attribute("name", deviceName),
  zone: attribute("zone", zoneName),
  stp: attribute("stp", onOff),
  delay: attribute("delay", integer(0, 2 ** 31 - 1)),
  macTableManager: attribute("macTableManager", oneOf("kernel", "libvirt")),
}));

/** Bridge between the guests of a network. */
export type Bridge = ValueOf<typeof bridge>;
