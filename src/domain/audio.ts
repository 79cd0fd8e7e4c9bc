import { choice } from "../xml/choice.ts";
import { attribute, required } from "../xml/field.ts";
import { integer } from "../xml/value-form.ts";

const noSound = "svirt does not give guests the host's sound";

/** `<audio>`: where guests' sound goes, which is nowhere. https://libvirt.org/formatdomain.html#audio-backends */
export const audio = choice("audio", {
  attribute: "type",
  of: { none: { id: required(attribute("id", integer(1, 65535))) } },
  refused: {
    alsa: noSound,
    coreaudio: noSound,
    dbus: noSound,
    file: noSound,
    jack: noSound,
    oss: noSound,
    pipewire: noSound,
    pulseaudio: noSound,
    sdl: noSound,
    spice: noSound,
  },
});
