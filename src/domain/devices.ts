import { element, type ValueOf } from "../xml/element.ts";
import { child, children, textOf } from "../xml/field.ts";
import { audio } from "./audio.ts";
import { channel, consoleDevice, parallel, serial } from "./chardev.ts";
import { controller } from "./controller.ts";
import { cryptoDevice } from "./crypto-device.ts";
import { disk } from "./disk.ts";
import { filesystem } from "./filesystem.ts";
import { graphics } from "./graphics.ts";
import { hostDevice } from "./host-device.ts";
import { hub } from "./hub.ts";
import { input } from "./input.ts";
import { iommu } from "./iommu.ts";
import { lease } from "./lease.ts";
import { memballoon } from "./memballoon.ts";
import { memoryDevice } from "./memory-device.ts";
import { networkInterface } from "./network-interface.ts";
import { panic } from "./panic.ts";
import { pstore } from "./pstore.ts";
import { redirdev, redirfilter } from "./redirdev.ts";
import { rng } from "./rng.ts";
import { shmem } from "./shmem.ts";
import { smartcard } from "./smartcard.ts";
import { sound } from "./sound.ts";
import { tpm } from "./tpm.ts";
import { video } from "./video.ts";
import { vsock } from "./vsock.ts";
import { watchdog } from "./watchdog.ts";
import { absolutePath } from "./words.ts";

/** `<devices>`, https://libvirt.org/formatdomain.html#devices */
export const devices = element("devices", () => ({
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
