import { choice } from "../../xml/choice.ts";
import type { ValueOf } from "../../xml/element.ts";
import { onUsb } from "../forms/address.ts";

/** `<hub>`, https://libvirt.org/formatdomain.html#hub-devices */
export const hub = choice("hub", { attribute: "type", of: () => ({ usb: onUsb }) });
export type Hub = ValueOf<typeof hub>;
