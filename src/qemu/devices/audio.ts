import type { Audio } from "../../domain/devices/audio.ts";
import type { Devices } from "../../domain/devices.ts";
import { type Arguments, jsonArguments } from "../argument/argument.ts";
import type { Guest } from "../model/guest.ts";
import { cannotTranslate, devicePath } from "../refusal.ts";

/** QEMU's names of audio backends with another name in libvirt. qemuAudioDriver of libvirt */
const DRIVERS: ReadonlyMap<string, string> = new Map([
  ["file", "wav"],
  ["pulseaudio", "pa"],
]);

/** -audiodev for each audio backend. qemuBuildAudioCommandLineArg() of libvirt */
export function formatAudio({ devices }: Guest): Arguments {
  refuseTwins(devices.audios);
  refuseOtherSpice(devices);
  return devices.audios.flatMap((audio) =>
    jsonArguments("-audiodev", {
      id: `audio${audio.id}`,
      driver: DRIVERS.get(audio.type) ?? audio.type,
      "timer-period": positive(audio.timerPeriod),
      ...ownKeys(audio),
      in: streamKeys(audio.input),
      out: streamKeys(audio.output),
    }),
  );
}

function refuseTwins(audios: readonly Audio[]): void {
  const ids = audios.map(({ id }) => id);
  const twin = ids.findIndex((id, index) => ids.indexOf(id) < index);
  if (twin === -1) return;
  const path = `${devicePath("audio", twin)}/@id`;
  throw cannotTranslate(path, "another <audio> has this number", "Write another id.");
}

// qemuValidateDomainDeviceDefAudio() of libvirt
function refuseOtherSpice({ audios, graphics }: Devices): void {
  const index = audios.findIndex(({ type }) => type === "spice");
  if (index === -1 || graphics.some(({ type }) => type === "spice")) return;
  const path = `${devicePath("audio", index)}/@type`;
  throw cannotTranslate(path, "the guest has no SPICE display", "Write <graphics type='spice'/>.");
}

function ownKeys(audio: Audio): Readonly<Record<string, unknown>> {
  switch (audio.type) {
    case "oss":
      return {
        "try-mmap": audio.tryMmap,
        exclusive: audio.exclusive,
        "dsp-policy": audio.dspPolicy,
      };
    case "pulseaudio":
      return { server: audio.serverName };
    case "file":
      return { path: audio.path };
    case "alsa":
    case "coreaudio":
    case "dbus":
    case "jack":
    case "none":
    case "pipewire":
    case "sdl":
    case "spice":
      return {};
  }
}

type Stream = NonNullable<Audio["input"]>;

/** Keys of a direction. libvirt omits a stream without settings, and zeros. */
function streamKeys(stream: Stream | undefined): object | undefined {
  if (stream === undefined) return undefined;
  const keys = {
    "mixing-engine": stream.mixingEngine,
    "fixed-settings": stream.fixedSettings,
    voices: positive(stream.voices),
    "buffer-length": positive(stream.bufferLength),
    frequency: positive(stream.settings?.frequency),
    channels: positive(stream.settings?.channels),
    format: stream.settings?.format,
    ...backendKeys(stream),
  };
  return Object.values(keys).every((value) => value === undefined) ? undefined : keys;
}

function backendKeys(stream: Stream): Readonly<Record<string, unknown>> {
  const own = new Map<string, unknown>(Object.entries(stream));
  const count = own.get("bufferCount");
  const latency = own.get("latency");
  return {
    dev: own.get("dev"),
    "buffer-count": count === 0 ? undefined : count,
    "try-poll": own.get("tryPoll"),
    "server-name": own.get("serverName"),
    "client-name": own.get("clientName"),
    "connect-ports": own.get("connectPorts"),
    "exact-name": own.get("exactName"),
    name: own.get("name"),
    "stream-name": own.get("streamName"),
    latency: latency === 0 ? undefined : latency,
  };
}

function positive(value: number | undefined): number | undefined {
  return value === 0 ? undefined : value;
}
