import { looseElement, type ValueOf } from "../xml/element.ts";
import { child, children, textOf } from "../xml/field.ts";
import { audio } from "./devices/audio.ts";
import { channel, consoleDevice, parallel, serial } from "./devices/chardev.ts";
import { controller } from "./devices/controller.ts";
import { cryptoDevice } from "./devices/crypto.ts";
import { disk } from "./devices/disk/disk.ts";
import { filesystem } from "./devices/filesystem.ts";
import { graphics } from "./devices/graphics/graphics.ts";
import { hostDevice } from "./devices/hostdev.ts";
import { hub } from "./devices/hub.ts";
import { input } from "./devices/input/input.ts";
import { iommu } from "./devices/iommu.ts";
import { lease } from "./devices/lease.ts";
import { memballoon } from "./devices/memballoon.ts";
import { memoryDevice } from "./devices/memory.ts";
import { networkInterface } from "./devices/network/interface.ts";
import { panic } from "./devices/panic.ts";
import { pstore } from "./devices/pstore.ts";
import { redirdev, redirfilter } from "./devices/redirdev.ts";
import { rng } from "./devices/rng.ts";
import { shmem } from "./devices/shmem.ts";
import { smartcard } from "./devices/smartcard.ts";
import { sound } from "./devices/sound.ts";
import { tpm } from "./devices/tpm/tpm.ts";
import { video } from "./devices/video.ts";
import { vsock } from "./devices/vsock.ts";
import { watchdog } from "./devices/watchdog.ts";
import { absolutePath } from "./forms/text.ts";

/** `<devices>`, https://libvirt.org/formatdomain.html#devices */
export const devices = looseElement("devices", () => ({
  emulator: textOf("emulator", absolutePath),
  disks: children(disk),
  controllers: children(controller),
  leases: children(lease),
  filesystems: children(filesystem),
  interfaces: children(networkInterface),
  smartcards: children(smartcard),
  serials: children(serial),
  parallels: children(parallel),
  consoles: children(consoleDevice),
  channels: children(channel),
  inputs: children(input),
  tpms: children(tpm),
  graphics: children(graphics),
  sounds: children(sound),
  audios: children(audio),
  videos: children(video),
  hostdevs: children(hostDevice),
  redirdevs: children(redirdev),
  redirfilter: child(redirfilter),
  hubs: children(hub),
  watchdogs: children(watchdog),
  memballoon: child(memballoon),
  rngs: children(rng),
  panics: children(panic),
  shmems: children(shmem),
  iommu: child(iommu),
  vsock: child(vsock),
  cryptos: children(cryptoDevice),
  pstore: child(pstore),
  memories: children(memoryDevice),
}));
export type Devices = ValueOf<typeof devices>;
