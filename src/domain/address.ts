import { choice } from "../xml/choice.ts";
import type { ValueOf } from "../xml/element.ts";
import { attribute } from "../xml/field.ts";
import { hexadecimal, integer, matching, onOff } from "../xml/value-form.ts";

const small = integer(0, 65535);

/** `<address>` of a device, https://libvirt.org/formatdomain.html#device-addresses */
export const address = choice("address", {
  attribute: "type",
  of: {
    pci: {
      domain: attribute("domain", hexadecimal(0xffff, 4)),
      bus: attribute("bus", hexadecimal(0xff, 2)),
      slot: attribute("slot", hexadecimal(0x1f, 2)),
      function: attribute("function", hexadecimal(7, 1)),
      multifunction: attribute("multifunction", onOff),
    },
    drive: {
      controller: attribute("controller", small),
      bus: attribute("bus", small),
      target: attribute("target", small),
      unit: attribute("unit", small),
    },
    "virtio-serial": {
      controller: attribute("controller", small),
      bus: attribute("bus", small),
      port: attribute("port", small),
    },
    usb: {
      bus: attribute("bus", small),
      port: attribute("port", matching(/^[0-9]{1,3}(?:\.[0-9]{1,3}){0,3}$/, "a USB port, 1 or 1.2")),
    },
  },
});
export type Address = ValueOf<typeof address>;
