import { element, refused, type ValueOf } from "../xml/element.ts";
import { child, children, textOf } from "../xml/field.ts";
import { audio } from "./audio.ts";
import { channel, consoleDevice, serial } from "./chardev.ts";
import { controller } from "./controller.ts";
import { disk } from "./disk.ts";
import { graphics } from "./graphics.ts";
import { input } from "./input.ts";
import { memballoon } from "./memballoon.ts";
import { networkInterface } from "./network-interface.ts";
import { rng } from "./rng.ts";
import { video } from "./video.ts";
import { watchdog } from "./watchdog.ts";
import { absolutePath } from "./words.ts";

/** `<devices>`, https://libvirt.org/formatdomain.html#devices */
export const devices = element(
  "devices",
  {
    emulator: textOf("emulator", absolutePath),
    disks: children(disk),
    controllers: children(controller),
    interfaces: children(networkInterface),
    serials: children(serial),
    consoles: children(consoleDevice),
    channels: children(channel),
    inputs: children(input),
    graphics: children(graphics),
    audios: children(audio),
    videos: children(video),
    watchdogs: children(watchdog),
    memballoon: child(memballoon),
    rngs: children(rng),
  },
  [
    refused("hostdev", "svirt does not pass devices through yet"),
    refused("filesystem", "svirt does not share folders with guests yet"),
    refused("tpm", "svirt does not start a TPM yet"),
    refused("lease", "svirt does not take lock-manager leases"),
    refused("sound", "svirt does not do sound"),
    refused("redirdev", "svirt does not redirect USB devices"),
    refused("smartcard", "svirt does not do smartcards"),
    refused("shmem", "svirt does not share memory between guests"),
    refused("memory", "svirt does not do memory devices yet"),
    refused("parallel", "svirt does not do parallel ports"),
  ],
);
export type Devices = ValueOf<typeof devices>;
