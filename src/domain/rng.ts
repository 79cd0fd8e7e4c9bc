import { choice } from "../xml/choice.ts";
import { element } from "../xml/element.ts";
import { attribute, child, content, required } from "../xml/field.ts";
import { integer, oneOf } from "../xml/value-form.ts";
import { onPci } from "./address.ts";
import { absolutePath } from "./words.ts";

/** What QEMU reads where the XML names no source, as in libvirt. */
export const DEFAULT_RANDOM_SOURCE = "/dev/random";

const rate = element("rate", {
  bytes: required(attribute("bytes", integer(1, 2 ** 31 - 1))),
  periodMs: attribute("period", integer(1, 2 ** 31 - 1)),
});

const backend = choice("backend", {
  attribute: "model",
  of: { random: { path: content(absolutePath) }, builtin: {} },
  refused: { egd: "svirt does not connect to entropy daemons" },
});

/** `<rng>`, https://libvirt.org/formatdomain.html#random-number-generator-device */
export const rng = element("rng", {
  model: required(attribute("model", oneOf("virtio"))),
  rate: child(rate),
  backend: required(child(backend)),
  ...onPci,
});
