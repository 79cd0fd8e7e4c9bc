import type { Disk } from "../domain/devices/disk/disk.ts";
import { hostInput } from "../domain/devices/input/host.ts";
import { type ByFamily, type EntryOf, orderOf } from "../domain/families.ts";
import { DEFAULT_RANDOM_SOURCE } from "../domain/forms/random-source.ts";
import { pipeEnds } from "../domain/resources/chardev.ts";
import { listFirmwareFiles } from "../domain/resources/firmware.ts";
import { listHostDevice, VHOST_SCSI } from "../domain/resources/hostdev.ts";
import { listResources, listTpm } from "../domain/resources/resources.ts";
import { namePorts } from "./devices/chardev/argv.ts";
import type { ChardevBackend } from "./devices/chardev/backend.ts";
import { type ChainImage, chainOf, type FoundChains } from "./devices/disk/chain.ts";
import { type Descriptor, isDirect } from "./launch.ts";
import type { Guest } from "./model/guest.ts";

type Wanted = Omit<Descriptor, "fd">;

type List = (guest: Guest, chains: FoundChains) => readonly Wanted[];

/**
 * Files of each family opened by svirt for QEMU. "none": QEMU opens no file for its devices, or a start
 * refuses them.
 */
const DEVICE_FILES = {
  disks: listImages,
  controllers: "none",
  leases: "none",
  filesystems: listFolders,
  // Taps and sockets are not files of the XML: resolve/host/taps.ts, peer-sockets.ts.
  interfaces: "none",
  smartcards: "none",
  serials: listPorts,
  parallels: "with serials",
  consoles: "with serials",
  channels: "with serials",
  inputs: listInputs,
  tpms: listTpms,
  graphics: "none",
  sounds: "none",
  audios: "none",
  videos: "none",
  hostdevs: listHostDevices,
  redirdevs: "none",
  redirfilter: "none",
  hubs: "none",
  watchdogs: "none",
  memballoon: "none",
  rngs: listRandomSources,
  panics: "none",
  shmems: "with memories",
  iommu: "none",
  vsock: "none",
  cryptos: "none",
  pstore: "with memories",
  memories: listMemoryFiles,
} as const satisfies ByFamily<List>;

/** Order of the descriptors. */
const ORDER = orderOf<EntryOf<typeof DEVICE_FILES> | "vhost-scsi">()([
  "disks",
  "serials",
  "rngs",
  "memories",
  "filesystems",
  "inputs",
  "hostdevs",
  "tpms",
  "vhost-scsi",
]);

/**
 * Lists the files of the host used by QEMU. KVM, firmware, kernel and initrd come first, then images of each
 * disk from the top down, files of ports, sources of randomness, and others. Each has its way of opening and
 * its number in QEMU, counted up from `firstFd`. A file used twice in the same way is listed once. Sockets
 * are absent: QEMU creates them in the guest's folder.
 */
export function listDescriptors(guest: Guest, chains: FoundChains, firstFd: number): readonly Descriptor[] {
  const lists: Readonly<Record<(typeof ORDER)[number], List>> = {
    ...DEVICE_FILES,
    "vhost-scsi": listVhostScsi,
  };
  const wanted = [
    ...(guest.domain.type === "kvm" ? [file("/dev/kvm", "kvm", "read-write")] : []),
    ...listFirmware(guest),
    ...listBootFiles(guest),
    ...ORDER.flatMap((part) => lists[part](guest, chains)),
  ];
  return number(wanted, firstFd);
}

/**
 * Lists only files of disks, sources of randomness and USB devices: a running QEMU accepts further
 * descriptors for them. Files opened by QEMU by name are absent, since a running QEMU cannot be directed to a
 * later descriptor.
 */
export function listDeviceDescriptors(
  guest: Guest,
  chains: FoundChains,
  firstFd: number,
): readonly Descriptor[] {
  const passed = listHostDevices(guest).filter(({ purpose }) => purpose === "usb");
  return number([...listImages(guest, chains), ...listRandomSources(guest), ...passed], firstFd);
}

function number(wanted: readonly Wanted[], firstFd: number): readonly Descriptor[] {
  const once = new Map(wanted.map((found) => [JSON.stringify(found), found]));
  return [...once.values()].map((found, index) => ({ ...found, fd: firstFd + index }));
}

function file(path: string, purpose: Descriptor["purpose"], access: Descriptor["access"]): Wanted {
  return { path, purpose, access, truncate: false, direct: false };
}

function listFirmware({ domain }: Guest): Wanted[] {
  return listFirmwareFiles(domain.os).map((found) =>
    file(found.path, found.kind === "loader" && found.type === "rom" ? "rom" : "flash", found.access),
  );
}

function listBootFiles({ domain }: Guest): Wanted[] {
  return listResources(domain).flatMap((found) => {
    switch (found.kind) {
      case "kernel":
      case "initrd":
      case "boot-file":
        return [file(found.path, found.kind, "read-only")];
      default:
        return [];
    }
  });
}

function listMemoryFiles({ domain }: Guest): Wanted[] {
  return listResources(domain).flatMap((found) =>
    found.kind === "memory-file" ? [file(found.path, "memory", "read-write")] : [],
  );
}

function listFolders({ domain }: Guest): Wanted[] {
  return listResources(domain).flatMap((found) =>
    found.kind === "shared-folder" && found.by === "qemu" ? [file(found.path, "folder", "read-only")] : [],
  );
}

function listInputs({ devices }: Guest): Wanted[] {
  return devices.inputs.flatMap((input) => {
    const path = hostInput(input);
    return path === undefined ? [] : [file(path, "input", "read-write")];
  });
}

function listImages({ devices }: Guest, chains: FoundChains): Wanted[] {
  return devices.disks.flatMap((disk) =>
    chainOf(disk, chains).elements.flatMap((image) => listImage(image, disk)),
  );
}

function listImage({ place, readOnly }: ChainImage, { driver, shareable }: Disk): Wanted[] {
  if (place.type !== "file" && place.type !== "block") return [];
  const wanted = file(place.path, "image", readOnly ? "read-only" : "read-write");
  const writer = shareable ? "sharer" : "writer";
  // Guests sharing an image can lock it, so locks of other programs are checked only on an unshared image.
  const lock = { as: readOnly ? "reader" : writer, isFirst: !readOnly && !shareable } as const;
  return [{ ...wanted, direct: isDirect(driver?.cache), lock }];
}

function listPorts(guest: Guest): Wanted[] {
  return namePorts(guest).flatMap(({ port: { chardev } }) => [
    ...listSource(chardev),
    ...(chardev.log === undefined ? [] : [appended(chardev.log.file, chardev.log.append)]),
  ]);
}

function listSource(chardev: ChardevBackend): Wanted[] {
  switch (chardev.type) {
    case "file":
      return [appended(chardev.source.path, chardev.source.append)];
    case "dev":
      return [{ ...file(chardev.source.path, "chardev", "read-write"), nonBlocking: true }];
    case "pipe":
      return listPipe(chardev.source.path);
    default:
      return [];
  }
}

/**
 * Lists each FIFO twice. The first descriptor, for reading and writing, is unused and keeps another end open.
 * Without it an open for writing would fail, and a reader would get end of file.
 */
function listPipe(path: string): Wanted[] {
  const { read, write } = pipeEnds(path);
  return [
    ...[read, write].map((end) => file(end, "chardev", "read-write")),
    { ...file(read, "chardev", "read-only"), nonBlocking: true },
    { ...file(write, "chardev", "append"), nonBlocking: true },
  ];
}

function appended(path: string, append: boolean | undefined): Wanted {
  return { ...file(path, "chardev", "append"), truncate: append !== true };
}

function listRandomSources({ devices }: Guest): Wanted[] {
  return devices.rngs.flatMap(({ backend }) =>
    backend.model === "random" ? [file(backend.path ?? DEFAULT_RANDOM_SOURCE, "random", "read-only")] : [],
  );
}

function listHostDevices({ devices }: Guest): Wanted[] {
  return devices.hostdevs.flatMap(listHostDevice).flatMap((found) => {
    switch (found.kind) {
      case "usb-device":
        return [file(found.path, "usb", found.access)];
      case "scsi-device":
        return [file(found.path, "scsi", found.access)];
      default:
        return [];
    }
  });
}

function listTpms({ devices }: Guest): Wanted[] {
  return devices.tpms
    .flatMap(listTpm)
    .flatMap((found) => ("path" in found ? [file(found.path, "tpm", "read-write")] : []));
}

/** Each device of vhost-scsi has a descriptor of its own. */
function listVhostScsi({ devices }: Guest): Wanted[] {
  const wwpns = devices.hostdevs.flatMap(({ source }) => ("wwpn" in source ? [source.wwpn] : []));
  return wwpns.map((owner) => ({ ...file(VHOST_SCSI, "vhost", "read-write"), owner }));
}
