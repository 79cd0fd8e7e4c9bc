import { choice } from "../../xml/choice.ts";
import { checked, element, type Fields, type ValueOf } from "../../xml/element.ts";
import { attribute, child, required } from "../../xml/field.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, matching, oneOf, yesNo } from "../../xml/value-form.ts";
import { absolutePath, lineOfText } from "../forms/text.ts";

const uint32 = integer(0, 2 ** 32 - 1);

/** Number of an `<audio>`; sound cards and displays name it. */
const audioId = integer(1, 255);

/** `<audio id='1'/>` of a sound card or a display. */
export const audioReference = child(element("audio", () => ({ id: required(attribute("id", audioId)) })));

const settings = element("settings", () => ({
  frequency: attribute("frequency", uint32),
  channels: attribute("channels", uint32),
  format: attribute("format", oneOf("s8", "u8", "s16", "u16", "s32", "u32", "f32")),
}));

const bufferCount = attribute("bufferCount", uint32);
const toServer = {
  name: attribute("name", lineOfText),
  streamName: attribute("streamName", lineOfText),
  latency: attribute("latency", uint32),
};
const jack = {
  serverName: attribute("serverName", lineOfText),
  clientName: attribute("clientName", lineOfText),
  connectPorts: attribute("connectPorts", lineOfText),
  exactName: attribute("exactName", yesNo),
};
const oss = {
  dev: attribute("dev", absolutePath),
  bufferCount,
  tryPoll: attribute("tryPoll", yesNo),
};

const head = { id: required(attribute("id", audioId)), timerPeriod: attribute("timerPeriod", uint32) };
const plain = bothWays({});

/** Path that may be relative, as libvirt's default is; QEMU would create it in its working directory. */
const soundFile = matching(/^[^\p{Cc}]{1,4095}$/u, "a path");

/** `<audio>`: backend of a guest's sound. https://libvirt.org/formatdomain.html#audio-backends */
export const audio = choice("audio", {
  attribute: "type",
  of: () => ({
    none: { ...head, ...plain },
    alsa: { ...head, ...bothWays({ dev: attribute("dev", absolutePath) }) },
    coreaudio: { ...head, ...bothWays({ bufferCount }) },
    dbus: { ...head, ...plain },
    file: { ...head, path: attribute("path", soundFile), ...plain },
    jack: { ...head, ...bothWays(jack) },
    oss: {
      ...head,
      tryMmap: attribute("tryMMap", yesNo),
      exclusive: attribute("exclusive", yesNo),
      dspPolicy: attribute("dspPolicy", integer(-(2 ** 31), 2 ** 31 - 1)),
      ...bothWays(oss),
    },
    pipewire: { ...head, runtimeDir: attribute("runtimeDir", absolutePath), ...bothWays(toServer) },
    pulseaudio: { ...head, serverName: attribute("serverName", lineOfText), ...bothWays(toServer) },
    sdl: {
      ...head,
      driver: attribute("driver", oneOf("esd", "alsa", "arts", "pulseaudio")),
      ...bothWays({ bufferCount }),
    },
    spice: { ...head, ...plain },
  }),
});
export type Audio = ValueOf<typeof audio>;

/** Returns the fields `<input>` and `<output>`, each with the settings of the backend. */
function bothWays<F extends Fields>(own: F) {
  return { input: child(stream("input", own)), output: child(stream("output", own)) };
}

function stream<F extends Fields>(tag: "input" | "output", own: F) {
  const form = element(tag, () => ({
    mixingEngine: attribute("mixingEngine", yesNo),
    fixedSettings: attribute("fixedSettings", yesNo),
    voices: attribute("voices", uint32),
    bufferLength: attribute("bufferLength", uint32),
    ...own,
    settings: child(settings),
  }));
  return checked(form, (_value, node) => {
    const given = node.children.some((found) => found.tag === "settings");
    if (!given || node.attributes.get("fixedSettings") === "yes") return;
    throw notUnderstood(
      { node, place: "settings" },
      "it requires fixedSettings='yes'",
      "Write fixedSettings='yes'.",
    );
  });
}
