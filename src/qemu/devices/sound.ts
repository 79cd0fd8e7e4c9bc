import type { Sound } from "../../domain/devices/sound.ts";
import { type Arguments, jsonArguments } from "../argument/argument.ts";
import { pciKeys, usbKeys } from "../argument/bus-properties.ts";
import { virtioKeys } from "../argument/virtio-properties.ts";
import type { Guest } from "../model/guest.ts";
import { cannotTranslate, devicePath } from "../refusal.ts";

const DRIVERS = {
  ac97: "AC97",
  es1370: "ES1370",
  ich6: "intel-hda",
  ich9: "ich9-intel-hda",
  sb16: "sb16",
} as const;

/** -device for each sound card and each of its codecs. qemuBuildSoundCommandLine() of libvirt */
export function formatSounds(guest: Guest): Arguments {
  return guest.devices.sounds.flatMap((sound, index) => {
    const id = sound.alias ?? `sound${index}`;
    return formatSound(guest, sound, { id, audiodev: audiodevOf(guest, sound, index) });
  });
}

/** Returns the audio backend of the PC speaker, for -machine. qemuBuildPCSpeaker of libvirt */
export function speakerAudio({ devices }: Guest): string | undefined {
  const speaker = devices.sounds.find(({ model }) => model === "pcspk");
  if (speaker === undefined) return undefined;
  const id = speaker.audio?.id ?? devices.audios[0]?.id;
  return id === undefined ? undefined : `audio${id}`;
}

interface Named {
  readonly id: string;
  readonly audiodev: string;
}

function formatSound(guest: Guest, sound: Sound, { audiodev, id }: Named): Arguments {
  switch (sound.model) {
    case "pcspk":
      return [];
    case "sb16":
      return jsonArguments("-device", { driver: DRIVERS.sb16, id, audiodev });
    case "ac97":
    case "es1370":
      return jsonArguments("-device", {
        driver: DRIVERS[sound.model],
        id,
        audiodev,
        ...pciKeys(guest, sound.address),
      });
    case "ich6":
    case "ich9":
      return [
        ...jsonArguments("-device", { driver: DRIVERS[sound.model], id, ...pciKeys(guest, sound.address) }),
        ...formatCodecs(sound.codecs, { audiodev, id }),
      ];
    case "usb": {
      const multi = sound.multichannel;
      const end = sound.address === undefined ? {} : usbKeys(guest, sound.address);
      return jsonArguments("-device", { driver: "usb-audio", id, audiodev, multi, ...end });
    }
    case "virtio":
      return jsonArguments("-device", {
        driver: "virtio-sound-pci",
        ...virtioKeys(sound.driver),
        id,
        audiodev,
        streams: sound.streams === 0 ? undefined : sound.streams,
        ...pciKeys(guest, sound.address),
      });
  }
}

type Codecs = Extract<Sound, { readonly model: "ich6" }>["codecs"];

/** A card without codecs gets a codec for playing and recording. */
function formatCodecs(codecs: Codecs, { audiodev, id }: Named): Arguments {
  const types = codecs.length === 0 ? (["duplex"] as const) : codecs.map(({ type }) => type);
  return types.flatMap((type, cad) =>
    jsonArguments("-device", {
      driver: `hda-${type}`,
      id: `${id}-codec${cad}`,
      bus: `${id}.0`,
      cad,
      audiodev,
    }),
  );
}

function audiodevOf({ devices }: Guest, sound: Sound, index: number): string {
  const id = sound.audio?.id ?? devices.audios[0]?.id;
  const found = devices.audios.find((audio) => audio.id === id);
  if (found !== undefined) return `audio${found.id}`;
  const path = `${devicePath("sound", index)}/audio`;
  throw cannotTranslate(path, "the guest has no <audio>", "Write <audio id='1' type='none'/>.");
}
