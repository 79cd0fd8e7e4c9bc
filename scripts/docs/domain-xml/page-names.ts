import { ELEMENTS, FAMILIES, type Family } from "../../../src/domain/families.ts";

/** Pages of elements that are not named like the element. */
export const PAGES_OF: ReadonlyMap<string, string> = new Map([
  ["maxMemory", "memory"],
  ["currentMemory", "memory"],
  ["vcpus", "vcpu"],
  ["iothreadids", "iothreads"],
  ["defaultiothread", "iothreads"],
  ["blkiotune", "tuning"],
  ["memtune", "tuning"],
  ["resource", "tuning"],
  ["perf", "tuning"],
  ["idmap", "tuning"],
]);

/** Page of each family of devices. It has the name of the family's file or folder in src/domain/devices/. */
const DEVICE_PAGES = {
  disks: "devices/disk",
  controllers: "devices/controller",
  leases: "devices/lease",
  filesystems: "devices/filesystem",
  interfaces: "devices/network",
  smartcards: "devices/smartcard",
  serials: "devices/chardev",
  parallels: "devices/chardev",
  consoles: "devices/chardev",
  channels: "devices/chardev",
  inputs: "devices/input",
  tpms: "devices/tpm",
  graphics: "devices/graphics",
  sounds: "devices/sound",
  audios: "devices/audio",
  videos: "devices/video",
  hostdevs: "devices/hostdev",
  redirdevs: "devices/redirdev",
  redirfilter: "devices/redirdev",
  hubs: "devices/hub",
  watchdogs: "devices/watchdog",
  memballoon: "devices/memballoon",
  rngs: "devices/rng",
  panics: "devices/panic",
  shmems: "devices/shmem",
  iommu: "devices/iommu",
  vsock: "devices/vsock",
  cryptos: "devices/crypto",
  pstore: "devices/pstore",
  memories: "devices/memory",
} as const satisfies Readonly<Record<Family, `devices/${string}`>>;

/** Page of a family of devices. */
export type DevicePage = (typeof DEVICE_PAGES)[Family];

/** Returns the page of a child of `<devices>`. */
export function devicePage(tag: string): DevicePage {
  const family = FAMILIES.find((each) => ELEMENTS[each] === tag);
  if (family === undefined) throw new Error(`<${tag}> is no family of devices`);
  return DEVICE_PAGES[family];
}
