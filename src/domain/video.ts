import { element, refused, type ValueOf } from "../xml/element.ts";
import { attribute, child, required } from "../xml/field.ts";
import { integer, oneOf, yesNo } from "../xml/value-form.ts";
import { onPci } from "./address.ts";

const memory = integer(0, 1 << 21);

const model = element(
  "model",
  {
    type: required(attribute("type", oneOf("vga", "cirrus", "virtio", "bochs", "qxl", "none"))),
    ramKiB: attribute("ram", memory),
    vramKiB: attribute("vram", memory),
    vgamemKiB: attribute("vgamem", memory),
    heads: attribute("heads", integer(1, 16)),
    primary: attribute("primary", yesNo),
  },
  [refused("acceleration", "svirt does not share the host's graphics card yet")],
);

/** `<video>`, https://libvirt.org/formatdomain.html#video-devices */
export const video = element("video", { model: required(child(model)), ...onPci });
export type Video = ValueOf<typeof video>;
