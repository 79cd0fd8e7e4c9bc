import { choice } from "../../xml/choice.ts";
import { element, type ValueOf } from "../../xml/element.ts";
import { attribute, children, required } from "../../xml/field.ts";
import { integer, oneOf, yesNo } from "../../xml/value-form.ts";
import { onPci, onUsb } from "../forms/address.ts";
import { alias } from "../forms/alias.ts";
import { virtioDriver } from "../forms/virtio-driver.ts";
import { audioReference } from "./audio.ts";

const codec = element("codec", () => ({
  type: required(attribute("type", oneOf("duplex", "micro", "output"))),
}));
const onIsa = { audio: audioReference, alias };
const card = { audio: audioReference, ...onPci };
const codecCard = { codecs: children(codec), ...card };

/** `<sound>`, https://libvirt.org/formatdomain.html#sound-devices */
export const sound = choice("sound", {
  attribute: "model",
  of: () => ({
    ac97: card,
    es1370: card,
    ich6: codecCard,
    ich9: codecCard,
    pcspk: onIsa,
    sb16: onIsa,
    usb: { multichannel: attribute("multichannel", yesNo), audio: audioReference, ...onUsb },
    virtio: {
      streams: attribute("streams", integer(0, 2 ** 32 - 1)),
      audio: audioReference,
      driver: virtioDriver,
      ...onPci,
    },
  }),
  refused: { ich7: "it is for another hypervisor" },
});
export type Sound = ValueOf<typeof sound>;
