import { element } from "../../xml/element.ts";
import { attribute, child, required } from "../../xml/field.ts";
import { integer, oneOf } from "../../xml/value-form.ts";
import { onPci } from "../forms/address.ts";
import { virtioDriver } from "../forms/virtio-driver.ts";

const backend = element("backend", () => ({
  model: required(attribute("model", oneOf("builtin", "lkcf"))),
  queues: attribute("queues", integer(1, 2 ** 16 - 1)),
}));

/** `<crypto>`, https://libvirt.org/formatdomain.html#crypto */
export const cryptoDevice = element("crypto", () => ({
  model: required(attribute("model", oneOf("virtio"))),
  type: required(attribute("type", oneOf("qemu"))),
  backend: required(child(backend)),
  driver: virtioDriver,
  ...onPci,
}));
